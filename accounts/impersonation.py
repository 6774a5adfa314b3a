"""What a session knows of an impersonation: one of our own staff looks at the product as somebody.

django-hijack switches the session to that person, and keeps in it who did. Whether it goes on is
asked at each request (`accounts.impersonation_middleware`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest

from accounts.models import User

# django-hijack's own: the keys of those who switched, the last one at the end.
HISTORY = "hijack_history"


@dataclass(frozen=True)
class Impersonation:
    """One that goes on: `by` looks at the product as `person`, until `ends_at`."""

    person: User
    by: User
    reason: str
    ends_at: datetime


def impersonator_id(request: HttpRequest) -> int | None:
    """Return the key of whoever is behind this request, where it is not its `user`."""
    session = getattr(request, "session", None)
    history = session.get(HISTORY) if session is not None else None
    return int(history[-1]) if history else None


def current(request: HttpRequest) -> Impersonation | None:
    """Return the impersonation that this request is part of, if any."""
    found: Impersonation | None = getattr(request, "impersonation", None)
    return found


def real_user(request: HttpRequest) -> User | None:
    """Return who is behind this request: the impersonator, or else whoever is signed in."""
    impersonation = current(request)
    if impersonation is not None:
        return impersonation.by
    return request.user if isinstance(request.user, User) else None


@contextmanager
def switching(request: HttpRequest) -> Iterator[None]:
    """Mark that the session goes from one person to another, which is no log-in of theirs."""
    request.is_switching = True  # type: ignore[attr-defined]
    try:
        yield
    finally:
        request.is_switching = False  # type: ignore[attr-defined]


def is_switching(request: HttpRequest) -> bool:
    return getattr(request, "is_switching", False)
