"""What people can ask of us: a copy of what we hold about them, and its erasure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Q
from django.utils.crypto import get_random_string
from guardian.models import UserObjectPermission

from accounts import services
from accounts.exports import PERSON, written
from accounts.models import ERASED_DOMAIN, User, UserEventLog


def export_person(*, person: User, now: datetime) -> Iterator[str]:
    """Log that a person takes a copy of what we hold about them, and return it as JSON.

    It is read while it is sent, so each part is of the moment at which it was read.
    """
    services.record_event(
        "person_exported", user=person, actor=person, organization_id=person.organization_id
    )
    return written(PERSON, person, now)


def number_of_exports(person: User) -> int:
    return UserEventLog.objects.filter(user=person, event="person_exported").count()


def addresses_of(person: User) -> set[str]:
    """Return the address that a person logs in with, and their other confirmed ones."""
    confirmed = EmailAddress.objects.filter(user=person, verified=True)
    return {person.email, *(email.lower() for email in confirmed.values_list("email", flat=True))}


@transaction.atomic
def erase_person(*, person: User, now: datetime) -> None:
    """Erase who a deleted person was: name, addresses, credentials, groups; their row stays.

    What refers to them, the log first of all, goes on to name a person whom nobody knows. The
    caller holds the lock on the row, and has decided.
    """
    addresses = addresses_of(person)
    EmailAddress.objects.filter(user=person).delete()
    Authenticator.objects.filter(user=person).delete()
    UserObjectPermission.objects.filter(user=person).delete()
    person.groups.clear()
    person.user_permissions.clear()
    _blank_admin_history(person, addresses)
    person.name = ""
    # Nobody can guess the end, so nobody can take the address before.
    person.email = f"erased-{person.pk}-{get_random_string(12).lower()}@{ERASED_DOMAIN}"
    person.set_unusable_password()
    person.is_staff = person.is_superuser = False
    person.erase_after, person.erased_at = None, now
    changed = ["name", "email", "password", "is_staff", "is_superuser"]
    person.save(update_fields=[*changed, "erase_after", "erased_at"])
    services.end_sessions(person)


def _blank_admin_history(person: User, addresses: set[str]) -> None:
    """Django's history of the admin names what was changed as it was called then."""
    naming = Q(content_type=ContentType.objects.get_for_model(User), object_id=str(person.pk))
    for address in addresses:
        naming |= Q(object_repr__icontains=address) | Q(change_message__icontains=address)
    LogEntry.objects.filter(naming).update(object_repr="", change_message="")
