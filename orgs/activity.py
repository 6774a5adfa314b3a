"""What an organization's activity page finds in the log, and how it says it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.events import GROUPS, Event
from accounts.models import User, UserEventLog, UserType
from orgs.models import FEATURES, Organization
from orgs.services.planting import DEFAULT_ROLES

# What people call what the log keeps as codes. billing, which is not known here, adds its own.
WORDS: Final[dict[str, str | Promise]] = {
    # Ways to log in, by allauth's names.
    "password": gettext_lazy("password"),
    "code": gettext_lazy("code by mail"),
    "mfa": gettext_lazy("second factor"),
    "totp": gettext_lazy("authenticator app"),
    "webauthn": gettext_lazy("passkey"),
    "recovery_codes": gettext_lazy("recovery code"),
    # What is said of an organization.
    "name": gettext_lazy("name"),
    "slug": gettext_lazy("slug"),
    "billing_email": gettext_lazy("billing e-mail"),
    **{key: gettext_lazy(name) for key, name, _kind, _given in DEFAULT_ROLES},
}


@dataclass(frozen=True)
class Wanted:
    """Which lines to show: whose name or address has this in it, of which group, from which day to
    which, both included, in the reader's zone."""

    text: str = ""
    group: str = ""
    first_day: date | None = None
    last_day: date | None = None


@dataclass(frozen=True)
class Entry:
    """A line as people read it."""

    at: datetime
    who: str
    what: str
    details: str
    by: str


def lines_of(organization: Organization, wanted: Wanted) -> QuerySet[UserEventLog]:
    """Return the organization's lines, newest first."""
    lines = UserEventLog.objects.filter(organization=organization)
    if wanted.text:
        # Our own staff are not named to members, and so not found by their names.
        found = Q()
        for role in ("user", "actor"):
            named = Q(**{f"{role}__name__icontains": wanted.text})
            named |= Q(**{f"{role}__email__icontains": wanted.text})
            found |= named & Q(**{f"{role}__user_type": UserType.MEMBER})
        lines = lines.filter(found)
    if wanted.group in GROUPS:
        lines = lines.filter(event__in=GROUPS[wanted.group][1])
    if wanted.first_day:
        lines = lines.filter(created_at__gte=_midnight(wanted.first_day))
    if wanted.last_day:
        lines = lines.filter(created_at__lt=_midnight(wanted.last_day + timedelta(days=1)))
    return lines.select_related("user", "actor").order_by("-pk")


def entries(lines: QuerySet[UserEventLog] | list[UserEventLog]) -> Iterator[Entry]:
    """Say each line; a query is read in pieces, so that its length costs no memory."""
    rows = lines if isinstance(lines, list) else lines.iterator(chunk_size=1000)
    for line in rows:
        subject = name_of(line.user, line.user_id) or name_of(line.actor, line.actor_id)
        by = name_of(line.actor, line.actor_id) if line.actor_id != line.user_id else ""
        if line.impersonator_id is not None:
            by = _("our staff, in the place of %(person)s") % {"person": by or subject}
        yield Entry(line.created_at, subject, line.kind, details_of(line), by)


def name_of(person: User | None, key: int | None) -> str:
    """Return what members call somebody of the log; empty for nobody."""
    if key is None:
        return ""
    if person is None:
        return _("somebody who is gone (%(key)s)") % {"key": key}
    if person.is_developer:
        return _("our staff")
    return person.get_full_name()


def details_of(line: UserEventLog) -> str:
    """Say what of the line's data people can use."""
    data: dict[str, Any] = line.data
    match line.event:
        case (
            Event.ROLE_ASSIGNED
            | Event.ROLE_REVOKED
            | Event.ROLE_CREATED
            | Event.ROLE_CHANGED
            | Event.ROLE_DELETED
        ):
            return word_for(data.get("key", ""))
        case Event.PERMISSION_GRANTED | Event.PERMISSION_REVOKED:
            codename = str(data.get("permission", "")).partition(".")[2]
            return str(FEATURES.get(codename, codename))
        case Event.STANDING_CHANGED:
            return _changes(data.get("before") or {}, data.get("after") or {})
        case Event.LOGIN:
            return ", ".join(map(word_for, data.get("methods", [])))
        case Event.LOGIN_BLOCKED:
            return word_for(data.get("reason", ""))
        case Event.ORGANIZATION_CHANGED:
            return ", ".join(map(word_for, data.get("fields", [])))
    return ""


def word_for(code: str) -> str:
    """Say what the log keeps as a code; what nobody has a word for is its own."""
    return str(WORDS.get(code, code))


def _changes(before: dict[str, Any], after: dict[str, Any]) -> str:
    named = {"status": _("status"), "reason": _("reason"), "tier": _("tier")}
    return ", ".join(
        f"{label}: {word_for(before.get(name) or '-')} → {word_for(after.get(name) or '-')}"
        for name, label in named.items()
        if before.get(name) != after.get(name)
    )


def _midnight(day: date) -> datetime:
    """The day's beginning. One day after it is the next one's, however long a change of the clock
    makes it."""
    return datetime.combine(day, time(), timezone.get_current_timezone())
