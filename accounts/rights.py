"""What people can ask of us: a copy of what we hold about them, and its erasure."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Model, Q
from django.utils.crypto import get_random_string
from guardian.models import UserObjectPermission

from accounts import services
from accounts.events import Event
from accounts.exports import PERSON, written
from accounts.models import ERASED_DOMAIN, User, UserEventLog

# Whatever holds a person's address, credentials or rights, and refers to them as `user`.
WHAT_GOES: tuple[type[Model], ...] = (
    EmailAddress,
    Authenticator,
    UserSession,
    UserObjectPermission,
    User.groups.through,
    User.user_permissions.through,
)
CHANGED = (
    "name",
    "email",
    "password",
    "is_staff",
    "is_superuser",
    "time_zone",
    "language",
    "session_generation",
    "erase_after",
    "erased_at",
)


def export_person(*, person: User, now: datetime) -> Iterator[str]:
    """Log that a person takes a copy of what we hold about them, and return it as JSON.

    It is read while it is sent, so each part is of the moment at which it was read.
    """
    services.record_event(
        Event.PERSON_EXPORTED, user=person, actor=person, organization_id=person.organization_id
    )
    return written(PERSON, person, now)


def number_of_exports(person: User) -> int:
    return UserEventLog.objects.filter(user=person, event=Event.PERSON_EXPORTED).count()


def addresses_of(person: User) -> set[str]:
    """Return the address that a person logs in with, and their other confirmed ones."""
    confirmed = EmailAddress.objects.filter(user=person, verified=True)
    return {person.email, *(email.lower() for email in confirmed.values_list("email", flat=True))}


@transaction.atomic
def erase_people(*, people: Collection[User], now: datetime) -> None:
    """Erase who these deleted people were: name, addresses, credentials, groups; the rows stay.

    What refers to them, the log first of all, goes on to name somebody whom nobody knows. The
    caller holds the locks on their rows, and has decided.
    """
    addresses = set().union(*(addresses_of(person) for person in people))
    _blank_admin_history(people, addresses)
    for model in WHAT_GOES:
        model._default_manager.filter(user__in=people).delete()
    for person in people:
        person.name = ""
        # Nobody can guess the end, so nobody can take the address before.
        person.email = f"erased-{person.pk}-{get_random_string(12).lower()}@{ERASED_DOMAIN}"
        person.set_unusable_password()
        person.is_staff = person.is_superuser = False
        person.time_zone = person.language = ""
        person.session_generation += 1
        person.erase_after, person.erased_at = None, now
        person.save(update_fields=CHANGED)


def _blank_admin_history(people: Collection[User], addresses: set[str]) -> None:
    """Django's history of the admin names what was changed as it was called then.

    No index finds that, so it is read once for all of them.
    """
    told = LogEntry.objects.values_list("pk", "object_repr", "change_message")
    named = told.filter(Q(object_repr__contains="@") | Q(change_message__contains="@"))
    naming = [
        pk
        for pk, *texts in named.iterator()
        if any(address in text.lower() for text in texts for address in addresses)
    ]
    about = Q(
        content_type=ContentType.objects.get_for_model(User),
        object_id__in=[str(person.pk) for person in people],
    )
    LogEntry.objects.filter(about | Q(pk__in=naming)).update(object_repr="", change_message="")
