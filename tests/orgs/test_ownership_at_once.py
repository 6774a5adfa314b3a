"""Two hands on one organization at the same moment, on connections of their own.

Acts that `meet` after they wrote and before they commit overlap for certain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import User, UserType
from orgs import services
from orgs.models import Organization, OwnershipTransfer
from tests.cast import OrganizationFactory, PersonFactory, add_member
from tests.together import together

pytestmark = pytest.mark.django_db(transaction=True)

KEY = "orgs_organization_owner_is_member"
# What a member can be turned into who may own nothing.
GOING: dict[str, dict[str, Any]] = {
    "deactivated": {"is_active": False},
    "soft-deleted": {"deleted_at": timezone.now(), "is_active": False},
    "gone": {"organization": None},
    "a developer": {"organization": None, "user_type": UserType.DEVELOPER},
}


Pause = Callable[[], object]


def meet() -> Pause:
    barrier = Barrier(2)
    return lambda: barrier.wait(timeout=10)


def make_team() -> tuple[Organization, User, User]:
    team = OrganizationFactory.create()
    return team, add_member(team), add_member(team)


def owner_of(team: Organization) -> User:
    return User.objects.get(owned_organizations=team)


def is_sound(team: Organization) -> bool:
    owner = owner_of(team)
    return owner.is_present and owner.organization_id == team.pk


def hand_on(team: Organization, heir: User, by: User, pause: Pause) -> OwnershipTransfer:
    seen = Organization.objects.get(pk=team.pk)
    pause()
    return services.transfer_ownership(organization=seen, new_owner=heir, by=by, reason="So.")


@transaction.atomic
def insert_transfer(
    team: Organization, heir: User, *, before: Pause = bool, after: Pause = bool
) -> None:
    giver = owner_of(team)
    before()
    OwnershipTransfer.objects.create(
        organization=team, from_owner=giver, to_owner=heir, reason="So."
    )
    after()


@transaction.atomic
def change(
    person: User, fields: dict[str, Any], *, before: Pause = bool, after: Pause = bool
) -> None:
    before()
    User.objects.filter(pk=person.pk).update(**fields)
    after()


@pytest.fixture
def staff(transactional_db: None) -> User:
    person: User = PersonFactory.create(
        user_type=UserType.DEVELOPER, is_staff=True, is_superuser=True
    )
    return person


def test_of_two_transfers_at_once_one_wins_and_the_other_is_told(staff: User) -> None:
    for _ in range(4):
        team, *heirs = make_team()
        both_looked = meet()
        results = together(*[partial(hand_on, team, heir, staff, both_looked) for heir in heirs])
        assert {type(each) for each in results} == {OwnershipTransfer, services.OwnerChanged}
        assert team.ownership_transfers.get().to_owner == owner_of(team)


@pytest.mark.postgres
def test_of_two_records_inserted_at_once_one_is_refused() -> None:
    for _ in range(4):
        team, *heirs = make_team()
        both_looked = meet()
        results = together(
            *[partial(insert_transfer, team, heir, before=both_looked) for heir in heirs]
        )
        assert {type(each) for each in results} == {type(None), IntegrityError}
        assert team.ownership_transfers.get().to_owner == owner_of(team)


def test_a_transfer_and_the_new_owners_going_are_not_both_done(staff: User) -> None:
    for fields in GOING.values():
        team, heir, _other = make_team()
        both_ready = meet()
        results = together(
            partial(hand_on, team, heir, staff, both_ready),
            partial(change, heir, fields, before=both_ready),
        )
        (refusal,) = [each for each in results if isinstance(each, Exception)]
        assert isinstance(refusal, IntegrityError | services.TransferRefused)
        assert is_sound(team)


def race(fields: dict[str, Any]) -> tuple[Organization, list[object]]:
    """Insert a transfer while the new owner goes: both have written before either commits."""
    team, heir, _other = make_team()
    both_wrote = meet()
    results = together(
        partial(insert_transfer, team, heir, after=both_wrote),
        partial(change, heir, fields, after=both_wrote),
    )
    return team, results


@pytest.mark.postgres
def test_no_overlap_leaves_an_owner_who_is_gone() -> None:
    for fields in GOING.values():
        team, results = race(fields)
        assert any(isinstance(each, IntegrityError) for each in results)
        assert is_sound(team)


@contextmanager
def without_the_key() -> Iterator[None]:
    """Take the composite key away, and put it back onto owners who are sound again."""
    (key,) = [each for each in Organization._meta.constraints if each.name == KEY]
    with connection.schema_editor() as editor:
        editor.remove_constraint(Organization, key)
    try:
        yield
    finally:
        User.objects.filter(owned_organizations__isnull=False).update(
            is_active=True, deleted_at=None
        )
        with connection.schema_editor() as editor:
            editor.add_constraint(Organization, key)


@pytest.mark.postgres
def test_it_is_the_key_that_sees_both_for_triggers_alone_let_them_pass() -> None:
    with without_the_key():
        team, results = race(GOING["deactivated"])
        assert results == [None, None]
        assert not is_sound(team)
