"""Staff let an organization in whatever its billing says, until a day that they name."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts import services as accounts
from accounts.events import Event
from accounts.models import User
from billing.models import Standing
from billing.services.marks import request_sync
from billing.services.projection import close_exemption
from orgs.models import Organization, Tier

PERMISSION = "billing.exempt_standing"


class MayNotExempt(Exception):
    """Only staff who have the permission exempt an organization."""


class EndsTooSoon(Exception):
    """An exemption lasts until a moment that lies ahead."""

    def __str__(self) -> str:
        return str(_("The end lies in the past. Choose a later one."))


class ReasonNeeded(Exception):
    """Whoever exempts says why."""

    def __str__(self) -> str:
        return str(_("Say why."))


@transaction.atomic
def grant_exemption(
    *,
    organization: Organization,
    until: datetime,
    tier: Tier | None,
    reason: str,
    by: User,
    now: datetime,
) -> None:
    """Let an organization in until a moment, on a tier if one is named, whatever its billing says.

    It takes the place of an exemption that is there. The next sync, which is woken, carries it
    over to tier and lock. Raises MayNotExempt, EndsTooSoon, ReasonNeeded, and ValidationError for
    a reason that is too long.
    """
    _require_permission(by)
    if until <= now:
        raise EndsTooSoon
    if not reason.strip():
        raise ReasonNeeded
    standing = _locked(organization)
    standing.exempt_until, standing.exempt_tier = until, tier
    field = Standing._meta.get_field("exempt_reason")
    standing.exempt_reason = field.clean(reason.strip(), standing)
    standing.save(update_fields=["exempt_until", "exempt_tier", "exempt_reason"])
    accounts.record_event(
        Event.EXEMPTION_GRANTED,
        actor=by,
        organization_id=organization.pk,
        data={"until": until.isoformat(), "tier": tier.key if tier else None, "reason": reason},
    )
    request_sync(organization_ids=[organization.pk], now=now)


@transaction.atomic
def end_exemption(*, organization: Organization, by: User, now: datetime) -> None:
    """End an exemption early; what billing says counts again with the next sync, which is woken.

    Without one nothing happens. Raises MayNotExempt.
    """
    _require_permission(by)
    standing = _locked(organization)
    if standing.exempt_until is None:
        return
    close_exemption(standing, by=by)
    standing.save(update_fields=["exempt_until", "exempt_tier", "exempt_reason"])
    request_sync(organization_ids=[organization.pk], now=now)


def _require_permission(by: User) -> None:
    if not (by.is_present and by.is_staff and by.has_perm(PERMISSION)):
        raise MayNotExempt


def _locked(organization: Organization) -> Standing:
    return Standing.objects.select_for_update().get(organization=organization)
