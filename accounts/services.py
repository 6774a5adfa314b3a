"""Writes about persons, and the one function that writes the log."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import User, UserEventLog, UserType


class AddressTaken(Exception):
    """Somebody has this e-mail address."""


class OwnsOrganization(Exception):
    """The person answers for an organization, and cannot go before it is handed on."""

    def __str__(self) -> str:
        return str(
            _(
                "This person owns an organization. Transfer ownership first: the owner asks for "
                "it on the team page, and staff do it on the organization's page in the admin."
            )
        )


class PersonDeleted(Exception):
    """The person was soft-deleted, and has to be restored first."""

    def __str__(self) -> str:
        return str(_("This person was deleted. Restore them first."))


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


@transaction.atomic
def rename_person(*, person: User, name: str, by: User) -> None:
    """Change what a person is called. Raises ValidationError for a bad name."""
    person = User.objects.select_for_update().get(pk=person.pk)
    name = name.strip()
    if person.name == name:
        return
    person.name = User._meta.get_field("name").clean(name, person)
    person.save(update_fields=["name"])
    record_event("person_renamed", user=person, actor=by, organization_id=person.organization_id)


@transaction.atomic
def set_active(*, person: User, is_active: bool, by: User) -> None:
    """Let a person in again, or keep them out: they cannot log in, and open sessions end.

    Raises OwnsOrganization, and PersonDeleted: restoring brings back what they were.
    """
    person = User.objects.select_for_update().get(pk=person.pk)
    if person.is_active == is_active:
        return
    if person.deleted_at is not None:
        raise PersonDeleted
    if not is_active:
        require_not_owner(person)
        end_sessions(person)
    person.is_active = is_active
    person.save(update_fields=["is_active"])
    record_event(
        "person_activated" if is_active else "person_deactivated",
        user=person,
        actor=by,
        organization_id=person.organization_id,
    )


@transaction.atomic
def delete_person(*, person: User, by: User) -> None:
    """Remove a person for good. What they did stays in the log. Raises OwnsOrganization."""
    person = User.objects.select_for_update().get(pk=person.pk)
    require_not_owner(person)
    record_event("person_deleted", user=person, actor=by, organization_id=person.organization_id)
    person.delete()


@transaction.atomic
def end_other_sessions(*, person: User, by: User) -> User:
    """Have every session of this person end, and return them as they are now.

    The caller keeps the session at hand: accounts.sessions.keep_session.
    """
    person = User.objects.select_for_update().get(pk=person.pk)
    end_sessions(person)
    record_event("sessions_ended", user=person, actor=by, organization_id=person.organization_id)
    return person


def end_sessions(person: User) -> None:
    """Have every session of this person end: their next request finds them logged out.

    The caller holds the lock on the person's row.
    """
    person.session_generation += 1
    person.save(update_fields=["session_generation"])


def require_not_owner(person: User) -> None:
    """Raise OwnsOrganization for an owner, who has to hand the organization on first."""
    if person.owned_organizations.exists():
        raise OwnsOrganization
