"""`decide`: who gets in. Every row of the table of docs/rules.md, "Access"."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from accounts.models import User, UserType
from billing.access import Access, Reason, decide
from orgs.models import Organization

NOW = datetime(2026, 6, 15, tzinfo=UTC)
OWNER, MEMBER = 1, 2


def person(pk: int = MEMBER, **fields: Any) -> User:
    return User(pk=pk, email="p@example.com", **fields)


def organization(**fields: Any) -> Organization:
    return Organization(pk=1, owner_id=OWNER, **fields)


LOCKED = {"locked_from": NOW}
LOCKS_LATER = {"locked_from": NOW + timedelta(seconds=1)}
CLOSED = {"closed_at": NOW - timedelta(days=1)}


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        (person(is_active=False), Access(False, Reason.INACTIVE)),
        (person(deleted_at=NOW), Access(False, Reason.INACTIVE)),
        (
            person(deleted_at=NOW, user_type=UserType.DEVELOPER),
            Access(False, Reason.INACTIVE),
        ),
        (person(user_type=UserType.DEVELOPER), Access(True, Reason.DEVELOPER)),
        (person(), Access(True, Reason.NO_ORGANIZATION)),
        (person(OWNER, organization=organization()), Access(True, Reason.OPEN)),
        (person(OWNER, organization=organization(**LOCKED)), Access(True, Reason.LOCKED)),
        (person(OWNER, organization=organization(**CLOSED)), Access(True, Reason.CLOSED)),
        (person(organization=organization()), Access(True, Reason.OPEN)),
        (person(organization=organization(**LOCKS_LATER)), Access(True, Reason.OPEN)),
        (person(organization=organization(**LOCKED)), Access(False, Reason.LOCKED)),
        (person(organization=organization(**CLOSED)), Access(False, Reason.CLOSED)),
        (
            person(organization=organization(**CLOSED, **LOCKED)),
            Access(False, Reason.CLOSED),
        ),
    ],
)
def test_who_gets_in(who: User, expected: Access) -> None:
    assert decide(who, NOW) == expected


def test_a_lock_begins_by_the_clock_alone() -> None:
    bob = person(organization=organization(**LOCKS_LATER))
    assert decide(bob, NOW).allowed
    assert not decide(bob, NOW + timedelta(seconds=1)).allowed
