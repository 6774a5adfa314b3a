"""May this person come in now? One pure answer, for the log-in step and for every page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from accounts.models import User


class Reason(StrEnum):
    """Why; the values are stable codes that callers may compare."""

    INACTIVE = "inactive"
    DEVELOPER = "developer"
    NO_ORGANIZATION = "no_organization"
    OPEN = "open"
    LOCKED = "organization_locked"
    CLOSED = "organization_closed"


@dataclass(frozen=True)
class Access:
    allowed: bool
    reason: Reason


def decide(user: User, now: datetime) -> Access:
    """Decide by the table of docs/rules.md, "Access". Reads what is loaded with the person.

    Lapsed billing locks the team and not the payer: the owner is let in to a locked or closed
    organization, to pay or to reopen it.
    """
    if not user.is_present:
        return Access(False, Reason.INACTIVE)
    if user.is_developer:
        return Access(True, Reason.DEVELOPER)
    organization = user.organization
    if organization is None:
        return Access(True, Reason.NO_ORGANIZATION)
    is_owner = organization.owner_id == user.pk
    if organization.closed_at is not None:
        return Access(is_owner, Reason.CLOSED)
    if organization.is_locked(now):
        return Access(is_owner, Reason.LOCKED)
    return Access(True, Reason.OPEN)
