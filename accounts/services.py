"""Writes about persons, and the one function that writes the log."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction

from accounts.models import User, UserEventLog, UserType


class AddressTaken(Exception):
    """Somebody has this e-mail address."""


def record_event(
    event: str,
    *,
    user: User | None = None,
    actor: User | None = None,
    organization_id: int | None = None,
    data: dict[str, Any] | None = None,
    ip_address: str | None = None,
) -> UserEventLog:
    """Write one line of the log, in the caller's transaction.

    `data` holds ids and plain facts: no names, no addresses, never a secret (docs/rules.md,
    "The log").
    """
    return UserEventLog.objects.create(
        event=event,
        user=user,
        actor=actor,
        organization_id=organization_id,
        data=data or {},
        ip_address=ip_address,
    )


@transaction.atomic
def create_person(
    *,
    email: str,
    password: str | None,
    name: str = "",
    user_type: UserType = UserType.MEMBER,
    is_staff: bool = False,
    is_superuser: bool = False,
    is_email_verified: bool = False,
) -> User:
    """Create a person and the record of their e-mail address.

    Raises AddressTaken, and ValidationError for a bad field. The caller has validated the
    password: its rules are the form's, so that the person can be told.
    """
    user = User(
        email=User.objects.normalize_email(email),
        name=name.strip(),
        user_type=user_type,
        is_staff=is_staff,
        is_superuser=is_superuser,
    )
    user.set_password(password)
    user.clean_fields()
    # The database is the judge of who has an address: of two sign-ups at once, one is told.
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError as error:
        if User.objects.filter(email=user.email).exists():
            raise AddressTaken from error
        raise
    EmailAddress.objects.create(
        user=user, email=user.email, primary=True, verified=is_email_verified
    )
    return user
