"""Who may impersonate whom, and what the log says of it (docs/rules.md, "Impersonation")."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts import services
from accounts.events import Event
from accounts.models import User

PERMISSION = "accounts.impersonate_user"
# Who may not see somebody's organization may not look at it through their eyes either.
SEES = "orgs.view_organization"


class Ending(StrEnum):
    """Why an impersonation is over; the values stand in the log."""

    STOPPED = "stopped"
    LOGGED_OUT = "logged_out"
    EXPIRED = "expired"
    # Whoever did it may not go on: permission, scope, account or sessions are gone, or the person
    # has become somebody whom nobody may impersonate.
    NOT_ALLOWED = "not_allowed"
    # The person's sessions were ended, or they cannot come in any more.
    PERSON_LOGGED_OUT = "person_logged_out"


class ImpersonationRefused(Exception):
    """Somebody cannot be impersonated so; `message` says why, in words for whoever tried."""

    message: str | Promise = _("This person cannot be impersonated.")

    def __str__(self) -> str:
        return str(self.message)


class NotPermitted(ImpersonationRefused):
    message = _("Only staff with the permission to impersonate people can do this.")


class OutOfSight(ImpersonationRefused):
    message = _("This person does not belong to an organization that you may see.")


class IsOurOwn(ImpersonationRefused):
    message = _("Developers, staff and superusers are not impersonated.")


class IsAway(ImpersonationRefused):
    message = _("Who was deactivated or deleted is not impersonated.")


class ReasonMissing(ImpersonationRefused):
    message = _("Say why: the reason is kept in the log.")


def require_may_impersonate(*, by: User, person: User) -> None:
    """Raise the ImpersonationRefused that holds for these two, as they were read.

    Asked when it begins, and again at each request of it.
    """
    if not (by.is_present and by.is_staff and by.has_perm(PERMISSION)):
        raise NotPermitted
    if person.is_developer or person.is_staff or person.is_superuser:
        raise IsOurOwn
    if not person.is_present:
        raise IsAway
    organization = person.organization
    sees = by.has_perm(SEES) or (organization is not None and by.has_perm(SEES, organization))
    if not sees:
        raise OutOfSight


def may_impersonate(*, hijacker: User, hijacked: User) -> bool:
    """Answer django-hijack's question (HIJACK_PERMISSION_CHECK)."""
    try:
        require_may_impersonate(by=hijacker, person=hijacked)
    except ImpersonationRefused:
        return False
    return True


@transaction.atomic
def start_impersonation(*, person: User, by: User, reason: str, now: datetime) -> datetime:
    """Write that somebody looks at the product as this person; return when that ends by itself.

    `reason` is kept in their words. Raises an ImpersonationRefused that says why.
    """
    people = User.objects.get_queryset().with_access()
    require_may_impersonate(by=people.get(pk=by.pk), person=people.get(pk=person.pk))
    if not reason.strip():
        raise ReasonMissing
    ends_at: datetime = now + timedelta(seconds=settings.IMPERSONATION_SECONDS)
    services.record_event(
        Event.IMPERSONATION_STARTED,
        user=person,
        actor=by,
        organization_id=person.organization_id,
        data={"reason": reason.strip(), "ends_at": ends_at.isoformat()},
    )
    return ends_at


def end_impersonation(*, person: User, by: User, because: Ending) -> None:
    """Write that an impersonation is over. Either of the two may be gone by now."""
    services.record_event(
        Event.IMPERSONATION_ENDED,
        user=person,
        actor=by,
        organization_id=person.organization_id,
        data={"because": because},
    )


def refuse_while_impersonating(*, person: User, by: User, method: str, page: str) -> None:
    """Write what somebody tried that cannot be done while they impersonate."""
    services.record_event(
        Event.IMPERSONATION_REFUSED,
        user=person,
        actor=by,
        organization_id=person.organization_id,
        data={"method": method, "page": page},
    )
