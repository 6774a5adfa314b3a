"""What the billing page tells of an organization's plan: from what syncs wrote, and never from
Stripe, so that the page opens whatever state Stripe is in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy
from djstripe.models import Invoice

from billing.invoices import owed_invoices
from billing.models import Standing
from billing.money import format_money
from billing.notices import CARD_EXPIRES_WITHIN
from billing.payment_methods import expires_at, valid_until, words_of
from billing.recurring import charge_of
from billing.standing import moment_of
from orgs.models import Organization

# So many invoices are shown; Stripe's portal has the rest.
SHOWN = 12


@dataclass(frozen=True)
class Charge:
    """Money that is due at a moment. `amount` None: it depends on what was used."""

    at: datetime
    amount: str | None
    # Stripe adds taxes to it, as the law wants.
    is_before_tax: bool


@dataclass(frozen=True)
class Trial:
    ends_at: datetime
    then: str


@dataclass(frozen=True)
class Method:
    words: str
    until: str
    is_expired: bool
    expires_soon: bool


@dataclass(frozen=True)
class InvoiceRow:
    number: str
    at: datetime
    total: str
    tax: str
    status: str
    is_open: bool
    url: str
    pdf: str


@dataclass(frozen=True)
class Debt:
    """What could not be collected, and when Stripe tries again."""

    amount: str
    next_attempt_at: datetime | None


@dataclass(frozen=True)
class Overview:
    prices: list[str]
    charge: Charge | None
    trial: Trial | None
    method: Method | None
    has_ending: bool


EACH = {
    "day": gettext_lazy("%(price)s a day"),
    "week": gettext_lazy("%(price)s a week"),
    "month": gettext_lazy("%(price)s a month"),
    "year": gettext_lazy("%(price)s a year"),
}
EVERY = {
    "day": ngettext_lazy(
        "%(price)s every %(count)s day", "%(price)s every %(count)s days", "count"
    ),
    "week": ngettext_lazy(
        "%(price)s every %(count)s week", "%(price)s every %(count)s weeks", "count"
    ),
    "month": ngettext_lazy(
        "%(price)s every %(count)s month", "%(price)s every %(count)s months", "count"
    ),
    "year": ngettext_lazy(
        "%(price)s every %(count)s year", "%(price)s every %(count)s years", "count"
    ),
}
STATUS_WORDS = {
    "paid": gettext_lazy("Paid"),
    "open": gettext_lazy("To be paid"),
    "void": gettext_lazy("Canceled"),
    "uncollectible": gettext_lazy("Given up"),
}


def overview_of(standing: Standing, now: datetime) -> Overview:
    """Return what the page tells of a standing, whose subscription is loaded with it."""
    data: Mapping[str, Any] = {}
    if standing.subscription is not None and standing.has_live_subscription:
        data = standing.subscription.stripe_data
    items = (data.get("items") or {}).get("data") or []
    return Overview(
        prices=[words for item in items if (words := price_words(item))],
        charge=_charge(data, items, standing, now),
        trial=_trial(data, standing),
        method=_method(standing.payment_method, now),
        has_ending=standing.ends_at is not None,
    )


def price_words(item: Mapping[str, Any]) -> str:
    """Say what an item costs: "€19 a month", "€190 a year"; nothing where it depends on use."""
    price = item.get("price") or {}
    amount = price.get("unit_amount")
    if amount is None:
        return ""
    words = format_money(amount, price["currency"])
    quantity = item.get("quantity") or 1
    if quantity != 1:
        words = f"{quantity} × {words}"  # noqa: RUF001
    recurring = price.get("recurring") or {}
    count = recurring.get("interval_count") or 1
    interval = str(recurring.get("interval") or "")
    if count != 1:
        told = {"price": words, "count": count}
        return EVERY[interval] % told if interval in EVERY else words
    return EACH[interval] % {"price": words} if interval in EACH else words


def _charge(
    data: Mapping[str, Any], items: list[Any], standing: Standing, now: datetime
) -> Charge | None:
    ends = [item["current_period_end"] for item in items if item.get("current_period_end")]
    if data.get("status") not in ("active", "trialing") or not ends:
        return None
    at = moment_of(min(ends))
    if standing.ends_at is not None and standing.ends_at <= at:
        return None
    is_before_tax = bool((data.get("automatic_tax") or {}).get("enabled"))
    return Charge(at, _amount(data), is_before_tax) if at > now else None


def _amount(subscription: Mapping[str, Any]) -> str | None:
    amount = charge_of(subscription)
    return None if amount is None else format_money(amount, subscription["currency"])


def _trial(data: Mapping[str, Any], standing: Standing) -> Trial | None:
    if data.get("status") != "trialing" or not data.get("trial_end"):
        return None
    ends_at = moment_of(data["trial_end"])
    if standing.ends_at is not None and standing.ends_at <= ends_at:
        return Trial(ends_at, _("Then the plan ends, and nothing is charged."))
    if standing.payment_method is not None:
        amount = _amount(data)
        if amount is None:
            return Trial(ends_at, _("Then the first payment is due."))
        return Trial(ends_at, _("Then %(amount)s is charged.") % {"amount": amount})
    behavior = ((data.get("trial_settings") or {}).get("end_behavior") or {}).get(
        "missing_payment_method"
    )
    if behavior == "cancel":
        return Trial(ends_at, _("Then the plan ends, unless there is a payment method by then."))
    if behavior == "pause":
        return Trial(
            ends_at, _("Then the plan is paused, unless there is a payment method by then.")
        )
    return Trial(ends_at, _("Then an invoice is due. Add a payment method before."))


def _method(method: Mapping[str, Any] | None, now: datetime) -> Method | None:
    if method is None:
        return None
    end = expires_at(method)
    is_expired = end is not None and end <= now
    expires_soon = end is not None and not is_expired and end <= now + CARD_EXPIRES_WITHIN
    return Method(words_of(method), valid_until(method), is_expired, expires_soon)


def invoices_of(organization: Organization) -> list[InvoiceRow]:
    """Return the newest invoices, as the mirror has them. One statement."""
    if organization.stripe_customer_id is None:
        return []
    rows = Invoice.objects.filter(customer=organization.stripe_customer_id).order_by("-created")
    return [invoice_row(data) for data in rows.values_list("stripe_data", flat=True)[:SHOWN]]


def debt_of(organization: Organization, standing: Standing, now: datetime) -> Debt | None:
    """Return what is owed for the subscription that counts. One statement."""
    if standing.subscription is None:
        return None
    rows = Invoice.objects.filter(
        customer=organization.stripe_customer_id, stripe_data__status="open"
    )
    told = rows.values_list("stripe_data", flat=True)
    owed = owed_invoices(told, [standing.subscription.stripe_data])
    if not owed:
        return None
    amount = format_money(sum(each["amount_remaining"] for each in owed), owed[0]["currency"])
    tried_at = [moment for each in owed if (moment := each.get("next_payment_attempt"))]
    ahead = [moment for moment in map(moment_of, tried_at) if moment > now]
    return Debt(amount, min(ahead, default=None))


def invoice_to_confirm(organization: Organization) -> str | None:
    """Return the address at Stripe at which the owner confirms a payment that waits for it."""
    waiting = Standing.objects.filter(organization=organization).values("unconfirmed_invoice")
    rows = Invoice.objects.filter(
        customer=organization.stripe_customer_id, id__in=waiting, stripe_data__status="open"
    )
    data = rows.values_list("stripe_data", flat=True).first()
    return (data or {}).get("hosted_invoice_url")


def invoice_row(data: Mapping[str, Any]) -> InvoiceRow:
    currency = data["currency"]
    tax = sum(each.get("amount") or 0 for each in data.get("total_taxes") or [])
    status = str(data["status"])
    return InvoiceRow(
        number=data.get("number") or data["id"],
        at=moment_of(data["created"]),
        total=format_money(data["total"], currency),
        tax=format_money(tax, currency) if tax else "",
        status=str(STATUS_WORDS.get(status, status)),
        is_open=status == "open",
        url=data.get("hosted_invoice_url") or "",
        pdf=data.get("invoice_pdf") or "",
    )


@dataclass(frozen=True)
class Preview:
    """What a change of plan costs today, as Stripe works it out."""

    lines: list[tuple[str, str]]
    tax: str
    # What of earlier credit is used up.
    credit: str
    # Due today; with `is_credit`, kept for the next invoices.
    total: str
    is_credit: bool


def preview_of(invoice: Mapping[str, Any]) -> Preview:
    currency = invoice["currency"]
    tax = sum(each.get("amount") or 0 for each in invoice.get("total_taxes") or [])
    total = invoice["total"]
    used = total - invoice["amount_due"] if total > 0 else 0
    return Preview(
        credit=format_money(used, currency) if used > 0 else "",
        lines=[
            (line.get("description") or "", format_money(line["amount"], currency))
            for line in invoice["lines"]["data"]
        ],
        tax=format_money(tax, currency) if tax else "",
        total=format_money(abs(total) if total < 0 else invoice["amount_due"], currency),
        is_credit=total < 0,
    )
