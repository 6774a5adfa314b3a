"""What an organization is, beside where it stands with billing, as small labels in the admin."""

from __future__ import annotations

from django.utils.translation import gettext as _

from accounts import times
from accounts.chips import BAD, PLAIN, TIER, chip
from orgs.models import Organization, Tier


def organization_chips(organization: Organization) -> list[str]:
    """Return what keeps its people out, or will."""
    chips = []
    if organization.closed_at is not None:
        chips.append(chip(_("closed"), PLAIN))
    if organization.locked_from is not None:
        since = times.day(organization.locked_from)
        chips.append(chip(_("locked from %(time)s") % {"time": since}, BAD))
    return chips


def tier_chip(tier: Tier | None) -> str | None:
    return None if tier is None else chip(tier.name, TIER)
