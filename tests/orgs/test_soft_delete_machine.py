"""Random histories of one person who is deleted and restored while others change what they hold."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from accounts import services as accounts
from accounts.models import User
from orgs import services
from orgs.models import Grant, Role, SoftDeletion, Tier, UserRoleAssignment
from tests.cast import Cast, add_member, make_cast
from tests.kept import put_back

ROLES = ["admin", "billing_viewer", "member"]
GRANTS = ["invite_members", "view_billing"]


def make_team() -> tuple[Cast, User]:
    cast = make_cast()
    return cast, add_member(cast.acme)


class Deletions(RuleBasedStateMachine):
    """Holds, beside the product, what the rule says: a few sets and flags."""

    def __init__(self) -> None:
        super().__init__()
        self._transaction = transaction.atomic()
        self._transaction.__enter__()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self._transaction.__exit__(None, None, None)

    @initialize()
    def begin(self) -> None:
        self.cast, self.cleo = put_back(make_team)
        self.is_member = self.is_active = True
        self.roles: set[str] = set()
        self.grants: set[str] = set()
        # What a restore would bring back; None while the person is there.
        self.ended: tuple[set[str], set[str]] | None = None

    @property
    def person(self) -> User:
        return User.objects.get(pk=self.cleo.pk)

    def role(self, key: str) -> Role:
        return Role.objects.get(key=key, organization=None)

    @rule(key=st.sampled_from(ROLES))
    def give(self, key: str) -> None:
        may = self.ended is None and self.is_member and self.is_active
        try:
            services.assign_role(
                user=self.person, role=self.role(key), by=self.cast.alice, now=timezone.now()
            )
        except services.AlreadyHeld:
            assert may and key in self.roles
        except (services.NotAMember, services.NotAllowed):
            assert not may
        else:
            assert may
            self.roles.add(key)

    @rule(key=st.sampled_from(ROLES))
    def take(self, key: str) -> None:
        there = self.roles if self.ended is None else self.ended[0]
        try:
            services.revoke_role(
                user=self.person, role=self.role(key), by=self.cast.alice, now=timezone.now()
            )
        except (services.NotHeld, services.NotAllowed):
            assert key not in there
        else:
            there.remove(key)

    def change_grant(self, change: Any, name: str) -> None:
        change(
            user=self.person,
            permission=f"orgs.{name}",
            organization=self.cast.acme,
            by=self.cast.alice,
            now=timezone.now(),
        )

    @rule(name=st.sampled_from(GRANTS))
    def grant(self, name: str) -> None:
        try:
            self.change_grant(services.grant_permission, name)
        except services.AlreadyHeld:
            assert name in self.grants
        except services.NotAMember:
            assert self.ended is not None or not self.is_member or not self.is_active
        else:
            self.grants.add(name)

    @rule(name=st.sampled_from(GRANTS))
    def take_grant(self, name: str) -> None:
        there = self.grants if self.ended is None else self.ended[1]
        try:
            self.change_grant(services.revoke_permission, name)
        except services.NotHeld:
            assert name not in there
        else:
            there.remove(name)

    @rule(is_active=st.booleans())
    def set_active(self, is_active: bool) -> None:
        try:
            accounts.set_active(person=self.person, is_active=is_active, by=self.cast.dana)
        except accounts.PersonDeleted:
            assert self.ended is not None
        else:
            if self.ended is None:
                self.is_active = is_active

    @rule()
    def delete(self) -> None:
        try:
            services.soft_delete(user=self.person, by=self.cast.dana, reason="Gone.")
        except services.AlreadyDeleted:
            assert self.ended is not None
        else:
            assert self.ended is None
            self.ended = (self.roles, self.grants)
            self.roles, self.grants = set(), set()

    @rule(chosen=st.one_of(st.just("all"), st.just("none"), st.sets(st.sampled_from(ROLES))))
    def restore(self, chosen: Any) -> None:
        roles: Any = chosen if isinstance(chosen, str) else [self.role(key) for key in chosen]
        try:
            services.restore(user=self.person, by=self.cast.dana, roles=roles)
        except services.NotDeleted:
            assert self.ended is None
        except services.NoSeatLeft:
            assert self.is_member
            assert not self.has_seat
        else:
            assert self.ended is not None
            assert self.has_seat or not self.is_member
            self.roles, self.grants = self.ended
            if chosen == "none":
                self.roles, self.grants = set(), set()
            elif chosen != "all":
                self.roles &= chosen
            self.ended = None

    @property
    def has_seat(self) -> bool:
        limit = Tier.objects.free().seat_limit
        return limit is None or self.cast.acme.people().count() < limit

    @rule(limit=st.sampled_from([2, None]))
    def change_seats(self, limit: int | None) -> None:
        Tier.objects.filter(key="free").update(seat_limit=limit)

    @rule()
    def leave(self) -> None:
        """By themself; for who was deleted, the organization goes on without them."""
        try:
            services.leave_organization(user=self.person, now=timezone.now())
        except services.NotAMember:
            assert not self.is_member or self.ended is not None or not self.is_active
        else:
            self.is_member = False
            self.roles, self.grants = set(), set()

    @invariant()
    def is_as_the_rule_says(self) -> None:
        person = self.person
        held = UserRoleAssignment.objects.active().filter(user=person)
        assert set(held.values_list("role__key", flat=True)) == self.roles
        granted = Grant.objects.filter(user=person).values_list("permission__codename", flat=True)
        assert set(granted) == self.grants
        assert (person.deleted_at is not None) is (self.ended is not None)
        assert person.is_active is (self.is_active and self.ended is None)
        assert (person.organization == self.cast.acme) is self.is_member
        assert SoftDeletion.objects.open().exists() is (self.ended is not None)
        assert (person in self.cast.acme.people()) is (self.is_member and self.ended is None)


@pytest.mark.parametrize("histories", [8, pytest.param(40, marks=pytest.mark.thorough)])
@pytest.mark.django_db(transaction=True)
def test_random_histories_keep_to_the_rule(histories: int) -> None:
    run_state_machine_as_test(
        Deletions,
        settings=settings(
            max_examples=histories,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
