"""What an organization's people are told at the top of each page. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from billing.models import Standing, Status
from orgs.models import Organization


@dataclass(frozen=True)
class Banner:
    kind: str
    title: str
    text: str
    has_payment_button: bool


def banner_for(
    organization: Organization, standing: Standing, *, is_owner: bool, now: datetime
) -> Banner | None:
    """Choose the banner: the owner gets a button, a member the owner's name."""
    if organization.is_locked(now):
        return Banner(
            "locked",
            _locked_title(standing.reason),
            _("Your team cannot come in until billing is resolved."),
            has_payment_button=is_owner,
        )
    if standing.status == Status.PAST_DUE and standing.grace_ends_at is not None:
        until = {"date": date_format(standing.grace_ends_at), "owner": organization.owner}
        return Banner(
            "grace",
            _("A payment failed"),
            _("Please pay by %(date)s; then your team is locked out.") % until
            if is_owner
            else _("%(owner)s has until %(date)s to resolve it.") % until,
            has_payment_button=is_owner,
        )
    if standing.status == Status.CURRENT and standing.ends_at is not None:
        tier = organization.tier.name if organization.tier else _("Your plan")
        facts = {"tier": tier, "date": date_format(standing.ends_at)}
        return Banner(
            "ending",
            _("%(tier)s ends on %(date)s") % facts,
            _("Until then everything stays as it is. The owner can resume the plan under Billing."),
            has_payment_button=False,
        )
    if standing.reason == "unmapped_price":
        return Banner(
            "unmapped",
            _("We are setting up your plan"),
            _("Your payment arrived, and our staff have been told to finish the rest."),
            has_payment_button=False,
        )
    return None


def _locked_title(reason: str) -> str:
    if reason in {"payment_failed", "unpaid", "payment_disputed"}:
        return _("Your organization is past due")
    if reason == "paused":
        return _("Your plan is paused")
    if reason == "no_subscription":
        return _("Your organization has no plan")
    return _("Your organization's billing needs attention")
