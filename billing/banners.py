"""What an organization's people are told at the top of each page. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import times
from billing.access import Reason
from billing.models import Standing, Status
from billing.notices import CARD_EXPIRES_WITHIN
from billing.payment_methods import expires_at
from billing.refusals import refusal_for
from orgs.models import Organization


class Action(StrEnum):
    """What the banner offers to do about it."""

    NONE = ""
    PAY = "pay"
    CONFIRM = "confirm"
    CHOOSE_PLAN = "choose_plan"
    RESUME = "resume"
    REOPEN = "reopen"


@dataclass(frozen=True)
class Look:
    """How much it matters, the icon that says so too, and what stands beside the plan's name."""

    tone: str
    icon: str
    chip: str | Promise = ""


LOOKS = {
    "locked": Look("bad", "locked", gettext_lazy("Locked")),
    "closed": Look("bad", "locked", gettext_lazy("Closed")),
    "grace": Look("warn", "warning", gettext_lazy("Past due")),
    "ending": Look("warn", "clock", gettext_lazy("Ending")),
    "card": Look("warn", "billing"),
    "exempt": Look("plain", "info", gettext_lazy("Exempt")),
    "unmapped": Look("plain", "info", gettext_lazy("Being set up")),
}


@dataclass(frozen=True)
class Banner:
    kind: str
    title: str
    text: str
    action: Action = Action.NONE

    @property
    def tone(self) -> str:
        return LOOKS[self.kind].tone

    @property
    def icon(self) -> str:
        return LOOKS[self.kind].icon

    @property
    def chip(self) -> str:
        return str(LOOKS[self.kind].chip)


def banner_for(
    organization: Organization, standing: Standing, *, is_owner: bool, now: datetime
) -> Banner | None:
    """Choose the banner: the owner gets a button, a member the owner's name.

    Of those in a locked or closed organization, only the owner sees a page with it, and who
    impersonates a member.
    """
    if organization.removed_from is not None:
        if not is_owner:
            return _kept_out(Reason.CLOSED, organization, standing)
        return _closed(organization.removed_from)
    if standing.unconfirmed_invoice and (is_owner or not organization.is_locked(now)):
        return _unconfirmed(organization, now, is_owner=is_owner)
    if organization.is_locked(now):
        return _locked(standing) if is_owner else _kept_out(Reason.LOCKED, organization, standing)
    if standing.exempt_until is not None and organization.locked_from is not None:
        return _exempt(standing, standing.exempt_until) if is_owner else None
    if standing.status == Status.PAST_DUE and standing.grace_ends_at is not None:
        return _grace(organization, standing.grace_ends_at, is_owner=is_owner)
    if standing.status == Status.CURRENT and standing.ends_at is not None:
        return _ending(organization, standing.ends_at, is_owner=is_owner)
    end = expires_at(standing.payment_method)
    if is_owner and end is not None and end <= now + CARD_EXPIRES_WITHIN:
        return _card(is_expired=end <= now)
    if standing.reason == "unmapped_price":
        return Banner(
            "unmapped",
            _("We are setting up your plan"),
            _("Your payment arrived, and our staff have been told to finish the rest."),
        )
    return None


def _kept_out(reason: Reason, organization: Organization, standing: Standing) -> Banner:
    """Only who impersonates a member sees a page then. What the member sees is the lock screen."""
    told = refusal_for(reason, organization, standing.reason).message
    text = _("They see no page but the lock screen, which says: “%(told)s”") % {"told": told}
    return Banner("locked", _("This person is kept out"), text)


def _closed(removed_from: datetime) -> Banner:
    facts = {"date": times.day(removed_from)}
    text = _("Your team cannot come in. You can reopen it until %(date)s; then it is removed.")
    return Banner("closed", _("Your organization is closed"), text % facts, Action.REOPEN)


def _locked(standing: Standing) -> Banner:
    if standing.can_choose_free or standing.reason in {"no_subscription", "customer_deleted"}:
        title = (
            _("Your plan ended because it was not paid for")
            if standing.can_choose_free
            else _("Your organization has no plan")
        )
        text = _("Choose a plan to let your team back in.")
        return Banner("locked", title, text, Action.CHOOSE_PLAN)
    if standing.status == Status.PAST_DUE or standing.reason == "unpaid":
        title = _("Your organization is past due")
    elif standing.reason == "paused":
        title = _("Your plan is paused")
    else:
        title = _("Your organization's billing needs attention")
    text = _("Your team cannot come in until billing is resolved.")
    return Banner("locked", title, text, Action.PAY)


def _unconfirmed(organization: Organization, now: datetime, *, is_owner: bool) -> Banner:
    if not is_owner:
        facts = {"owner": organization.owner.get_full_name()}
        text = _("%(owner)s has to confirm it to the bank.") % facts
        if organization.locked_from is not None:
            facts["date"] = times.day(organization.locked_from)
            text = _("%(owner)s has until %(date)s to confirm it to the bank.") % facts
        return Banner("grace", _("A payment waits to be confirmed"), text)
    title = _("A payment waits for you")
    if organization.is_locked(now):
        text = _("Your bank wants you to confirm it. Until then your team cannot come in.")
        return Banner("locked", title, text, Action.CONFIRM)
    text = _("Your bank wants you to confirm it. Until then it is unpaid.")
    if organization.locked_from is not None:
        text = _("Your bank wants you to confirm it by %(date)s; then your team is locked out.") % {
            "date": times.day(organization.locked_from)
        }
    return Banner("grace", title, text, Action.CONFIRM)


def _ending(organization: Organization, ends_at: datetime, *, is_owner: bool) -> Banner:
    facts = {
        "tier": organization.tier.name if organization.tier else _("Your plan"),
        "date": times.day(ends_at),
        "owner": organization.owner.get_full_name(),
    }
    title = _("%(tier)s ends on %(date)s") % facts
    if is_owner:
        text = _("Until then everything stays as it is, and you can resume the plan.")
        return Banner("ending", title, text, Action.RESUME)
    text = _("Until then everything stays as it is. %(owner)s can resume the plan.") % facts
    return Banner("ending", title, text)


def _card(*, is_expired: bool) -> Banner:
    text = _("Add another, so that the next payment succeeds.")
    title = _("Your card has expired") if is_expired else _("Your card expires soon")
    return Banner("card", title, text, Action.PAY)


def _exempt(standing: Standing, until: datetime) -> Banner:
    text = _("Our staff made an exemption. After that, your plan has to be paid for.")
    pays = standing.has_live_subscription
    title = _("Your team stays in until %(date)s") % {"date": times.day(until)}
    return Banner("exempt", title, text, Action.PAY if pays else Action.CHOOSE_PLAN)


def _grace(organization: Organization, ends_at: datetime, *, is_owner: bool) -> Banner:
    facts = {"date": times.day(ends_at), "owner": organization.owner.get_full_name()}
    if is_owner:
        text = _("Please pay by %(date)s; then your team is locked out.") % facts
        return Banner("grace", _("A payment failed"), text, Action.PAY)
    text = _("%(owner)s has until %(date)s to resolve it.") % facts
    return Banner("grace", _("A payment failed"), text)
