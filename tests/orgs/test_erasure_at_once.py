"""Erasing somebody at the moment at which they, or staff, bring them back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from orgs import services
from orgs.services.erasure import COME_BACK_WITHIN
from tests.cast import add_member, make_cast
from tests.together import together

pytestmark = pytest.mark.django_db(transaction=True)


def test_one_of_erasing_and_restoring_wins() -> None:
    cast = make_cast()
    now = timezone.now()
    services.delete_own_account(user=cast.bob, now=now - COME_BACK_WITHIN)
    erased, _restored = together(
        lambda: services.erase_deleted_people(now=now),
        lambda: services.restore(user=cast.bob, by=cast.dana),
    )
    person = User.objects.get(pk=cast.bob.pk)
    assert (erased, person.erased_at is None, person.is_active) in [
        (1, False, False),
        (0, True, True),
    ]


def test_a_link_followed_twice_at_once_brings_back_once() -> None:
    cast = make_cast()
    now = timezone.now()
    deletion = services.delete_own_account(user=cast.bob, now=now)
    results = together(*[lambda: services.come_back(deletion=deletion, now=now) for _ in range(2)])
    assert {type(each) for each in results} == {User, services.NotDeleted}


def test_two_commands_at_once_erase_everybody_once() -> None:
    cast = make_cast()
    now = timezone.now()
    for _ in range(3):
        services.delete_own_account(user=add_member(cast.acme), now=now - timedelta(days=31))
    results = together(*[lambda: services.erase_deleted_people(now=now) for _ in range(2)])
    assert sum(int(str(each)) for each in results) == 3
