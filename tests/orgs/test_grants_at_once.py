"""Two hands on what one person was granted, at the same moment, on connections of their own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from threading import Event
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import Model

from accounts.models import User, UserEventLog
from orgs import services
from orgs.models import Grant, Organization
from tests.cast import Cast, make_cast
from tests.staff import grant, make_developer, revoke
from tests.together import together

pytestmark = pytest.mark.django_db(transaction=True)

BILLING = "orgs.view_billing"


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    return make_cast()


def test_of_two_grants_at_once_one_is_made_and_the_other_is_told(cast: Cast) -> None:
    helper = make_developer()
    for person, giver in ((cast.bob, cast.alice), (helper, cast.dana)):
        give = partial(grant, person, BILLING, cast.acme, by=giver)
        results = together(give, give)
        assert {type(each) for each in results} == {Grant, services.AlreadyHeld}
        assert Grant.objects.filter(user=person).count() == 1
    assert UserEventLog.objects.filter(event="permission_granted").count() == 2


def test_what_is_taken_twice_at_once_is_taken_once(cast: Cast) -> None:
    grant(cast.bob, BILLING, cast.acme, by=cast.alice)
    take = partial(revoke, cast.bob, BILLING, cast.acme, by=cast.alice)
    results = together(take, take)
    assert {type(each) for each in results} == {type(None), services.NotHeld}
    assert UserEventLog.objects.filter(event="permission_revoked").count() == 1


def test_what_is_given_and_taken_at_once_ends_as_the_log_says(cast: Cast) -> None:
    for _ in range(4):
        together(
            partial(grant, cast.bob, BILLING, cast.acme, by=cast.alice),
            partial(revoke, cast.bob, BILLING, cast.acme, by=cast.alice),
        )
        lines = UserEventLog.objects.filter(event__startswith="permission_").order_by("id")
        newest = lines.last()
        assert newest is not None
        assert Grant.objects.exists() is (newest.event == "permission_granted")


def leave(cast: Cast) -> None:
    User.objects.filter(pk=cast.bob.pk).update(organization=None)


def hand_on(cast: Cast) -> None:
    services.transfer_ownership(
        organization=cast.acme, new_owner=cast.bob, by=cast.dana, reason="Alice moves on."
    )


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("change", "waits_for", "refusal"),
    [(leave, User, services.NotAMember), (hand_on, Organization, services.NotAllowed)],
)
def test_what_changes_meanwhile_is_waited_for_and_read_again(
    cast: Cast,
    change: Callable[[Cast], None],
    waits_for: type[Model],
    refusal: type[Exception],
) -> None:
    has_changed, is_waited_for = Event(), Event()

    @transaction.atomic
    def change_slowly() -> None:
        change(cast)
        has_changed.set()
        assert is_waited_for.wait(timeout=10)

    def announce(execute: Any, sql: str, *args: Any) -> Any:
        if f'FROM "{waits_for._meta.db_table}"' in sql and "FOR NO KEY UPDATE" in sql:
            is_waited_for.set()
        return execute(sql, *args)

    def give() -> Grant:
        assert has_changed.wait(timeout=10)
        with connection.execute_wrapper(announce):
            return grant(cast.bob, BILLING, cast.acme, by=cast.alice)

    results = together(change_slowly, give)
    assert [type(each) for each in results] == [type(None), refusal]
    assert not Grant.objects.exists()
