"""Random histories of one person who deletes their account, comes back, is deleted and restored by
staff, and is erased: in any order, and at any time."""

from __future__ import annotations

from datetime import datetime, timedelta

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
from orgs.models import Role, SoftDeletion, Tier
from orgs.services.erasure import COME_BACK_WITHIN
from tests.cast import add_member, make_cast

EMAIL = "cleo@example.com"


class Erasures(RuleBasedStateMachine):
    """Holds, beside the product, what the rule says: a few flags and one moment."""

    def __init__(self) -> None:
        super().__init__()
        self._transaction = transaction.atomic()
        self._transaction.__enter__()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self._transaction.__exit__(None, None, None)

    @initialize()
    def begin(self) -> None:
        self.cast = make_cast()
        self.pk = add_member(self.cast.acme, email=EMAIL).pk
        role = Role.objects.get(key="admin", organization=None)
        self.now: datetime = timezone.now()
        services.assign_role(user=self.person, role=role, by=self.cast.alice, now=self.now)
        self.is_member = True
        self.is_deleted = self.is_own = self.is_erased = False
        self.due: datetime | None = None
        # The links of all mails so far.
        self.deletions: list[SoftDeletion] = []

    @property
    def person(self) -> User:
        return User.objects.get(pk=self.pk)

    @rule()
    def delete_own_account(self) -> None:
        try:
            deletion = services.delete_own_account(user=self.person, now=self.now)
        except services.AlreadyDeleted:
            assert self.is_deleted
        else:
            assert not self.is_deleted
            self.is_deleted = self.is_own = True
            self.due = self.now + COME_BACK_WITHIN
            self.deletions.append(deletion)

    @rule()
    def staff_delete(self) -> None:
        try:
            services.soft_delete(user=self.person, by=self.cast.dana, reason="Gone.")
        except services.AlreadyDeleted:
            assert self.is_deleted
        else:
            assert not self.is_deleted
            self.is_deleted, self.is_own = True, False

    @rule()
    def staff_request_erasure(self) -> None:
        try:
            services.request_erasure(
                user=self.person, by=self.cast.dana, reason="Asked.", now=self.now
            )
        except accounts.PersonErased:
            assert self.is_erased
        except services.NotDeleted:
            assert not self.is_deleted
        except services.AlreadyToErase:
            assert self.due is not None
        else:
            assert self.is_deleted
            assert self.due is None
            self.due = self.now + COME_BACK_WITHIN

    @rule(number=st.integers(0, 3))
    def follow_a_link(self, number: int) -> None:
        if number >= len(self.deletions):
            return
        deletion, has_seat = self.deletions[number], self.has_seat
        try:
            services.come_back(deletion=deletion, now=self.now)
        except accounts.PersonErased:
            assert self.is_erased
        except services.NotDeleted:
            assert not self.is_deleted or not self.is_own or deletion != self.deletions[-1]
        except services.CannotComeBack:
            assert self.due is not None
            assert self.now >= self.due
        else:
            assert self.is_own
            assert self.due is not None
            assert self.now < self.due
            assert deletion == self.deletions[-1]
            self.is_member &= has_seat
            self._is_back()

    @rule()
    def staff_restore(self) -> None:
        try:
            services.restore(user=self.person, by=self.cast.dana)
        except accounts.PersonErased:
            assert self.is_erased
        except services.NotDeleted:
            assert not self.is_deleted
        except services.NoSeatLeft:
            assert self.is_member
            assert not self.has_seat
        else:
            assert self.is_deleted
            assert not self.is_erased
            self._is_back()

    def _is_back(self) -> None:
        self.is_deleted, self.due = False, None

    @rule()
    def erase(self) -> None:
        is_due = self.due is not None and self.due <= self.now
        assert services.erase_deleted_people(now=self.now) == is_due
        if is_due:
            self.is_erased, self.due = True, None

    @rule(days=st.sampled_from([1, 15, 30]))
    def pass_time(self, days: int) -> None:
        self.now += timedelta(days=days)

    @property
    def has_seat(self) -> bool:
        limit = Tier.objects.free().seat_limit
        return limit is None or self.cast.acme.people().count() < limit

    @rule(limit=st.sampled_from([2, None]))
    def change_seats(self, limit: int | None) -> None:
        Tier.objects.filter(key="free").update(seat_limit=limit)

    @invariant()
    def is_as_the_rule_says(self) -> None:
        person = self.person
        assert (person.erased_at is not None) is self.is_erased
        assert (person.deleted_at is not None) is self.is_deleted
        assert person.is_active is not self.is_deleted
        assert person.erase_after == self.due
        assert (person.email == EMAIL) is not self.is_erased
        assert (person.organization == self.cast.acme) is self.is_member
        holds = self.is_member and not self.is_deleted
        assert person.role_assignments.active().exists() is holds


@pytest.mark.django_db(transaction=True)
def test_random_histories_keep_to_the_rule() -> None:
    run_state_machine_as_test(
        Erasures,
        settings=settings(
            max_examples=25,
            stateful_step_count=15,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
