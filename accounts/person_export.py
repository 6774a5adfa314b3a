"""What this room tells a person of themself. Secrets are told to nobody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.db.models import F, Q

from accounts.exports import NOT_OF_PERSON, PERSON, Facts, Part, rows
from accounts.models import ActiveWeek, User, UserEventLog

FIELDS = (
    "id",
    "email",
    "name",
    "user_type",
    "is_active",
    "is_staff",
    "is_superuser",
    "created_at",
    "last_login",
    "last_active",
    "time_zone",
    "language",
    "deleted_at",
    "erase_after",
    "erased_at",
)
# What the log keeps of a browser, which may be somebody else's.
OF_THE_BROWSER = ("ip_address", "device", "request_id")
# Columns of a person that are not told, each with the reason; one test knows them all.
NOT_TOLD = {
    "password": "a secret, though hashed",
    "session_generation": "a counter that ends sessions",
    "ownable_organization": "what the database makes of other columns",
    "organization": "orgs tells it, with its name",
}


def _person(person: User) -> Facts:
    # As it is now, not as it was when the session began.
    told: Facts = User.objects.values(*FIELDS).get(pk=person.pk)
    return told


def _events(person: User) -> Iterator[dict[str, Any]]:
    """The lines that they are the subject or the actor of; an address only where it is theirs."""
    lines = UserEventLog.objects.filter(Q(user=person) | Q(actor=person))
    facts = ("id", "created_at", "event", "user_id", "actor_id", "organization_id", "data")
    for line in rows(lines, *facts, "impersonator_id", *OF_THE_BROWSER):
        if line["actor_id"] not in {person.pk, None} or line["impersonator_id"] is not None:
            for fact in OF_THE_BROWSER:
                del line[fact]
        yield line


PERSON += [
    Part("person", _person),
    Part(
        "email_addresses",
        lambda person: rows(
            EmailAddress.objects.filter(user=person), "email", "verified", "primary"
        ),
        ("account.EmailAddress.user",),
    ),
    Part(
        "second_factors",
        lambda person: rows(
            Authenticator.objects.filter(user=person), "type", "created_at", "last_used_at"
        ),
        ("mfa.Authenticator.user",),
    ),
    Part(
        "sessions",
        lambda person: rows(
            UserSession.objects.filter(user=person),
            "created_at",
            "last_seen_at",
            "ip",
            "user_agent",
        ),
        ("usersessions.UserSession.user",),
    ),
    Part(
        "active_weeks",
        lambda person: rows(ActiveWeek.objects.filter(person=person), "week", "organization_id"),
        ("accounts.ActiveWeek.person",),
    ),
    Part(
        "groups",
        lambda person: rows(person.groups.all(), "name"),
        ("accounts.User_groups.user",),
    ),
    Part(
        "permissions",
        lambda person: rows(person.user_permissions.all(), "codename"),
        ("accounts.User_user_permissions.user",),
    ),
    Part(
        "acts_in_the_admin",
        lambda person: rows(
            LogEntry.objects.filter(user=person),
            "action_time",
            "action_flag",
            "object_id",
            model=F("content_type__model"),
        ),
        ("admin.LogEntry.user",),
    ),
    Part("events", _events, ("accounts.UserEventLog.user", "accounts.UserEventLog.actor")),
]
NOT_OF_PERSON["accounts.UserEventLog.impersonator"] = (
    "those lines are told to the person in whose place it was done, and to staff in the admin"
)
NOT_OF_PERSON["guardian.UserObjectPermission.user"] = (
    "django-guardian's own table is empty here: grants are orgs.Grant"
)
