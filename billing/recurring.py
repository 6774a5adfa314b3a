"""What an organization pays a month, from Stripe's facts (docs/rules.md, "Revenue"). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from billing.standing import StripeObject, Verdict

# How many months one of Stripe's intervals has.
MONTHS: Final = {
    "day": Fraction(12, 365),
    "week": Fraction(12, 52),
    "month": Fraction(1),
    "year": Fraction(12),
}


@dataclass(frozen=True)
class Recurring:
    """What is paid a month, in minor units of a currency (`eur`), before discounts and taxes.

    Without an amount, something is paid whose amount no price tells: by tiers or by usage.
    """

    currency: str
    amount: int | None


def recurring_of(
    verdict: Verdict, subscriptions: Iterable[StripeObject], known: Recurring | None
) -> Recurring | None:
    """Return what a verdict's organization pays a month, or None for nothing.

    Who owes is told with what they paid last, `known`: so a trial that nobody pays for is never
    told to have been paid.
    """
    if verdict.subscription is None:
        return None
    if verdict.status != "current":
        return known
    subscription = next(each for each in subscriptions if each["id"] == verdict.subscription)
    return None if subscription["status"] == "trialing" else monthly(subscription)


def charge_of(subscription: StripeObject) -> int | None:
    """Return what the items of a subscription cost for a period together, in minor units, before
    discounts and taxes. None where a price has no amount for each unit."""
    items: list[StripeObject] = (subscription.get("items") or {}).get("data") or []
    total = 0
    for item in items:
        amount = (item.get("price") or {}).get("unit_amount")
        if amount is None:
            return None
        total += amount * (item.get("quantity") or 1)
    return total if items else None


def monthly(subscription: StripeObject) -> Recurring | None:
    """Return what the items of a subscription cost a month, together and rounded once.

    None if it names no currency, which Stripe's always do.
    """
    currency = subscription.get("currency")
    if not currency:
        return None
    items: list[StripeObject] = (subscription.get("items") or {}).get("data") or []
    total = Fraction(0)
    for item in items:
        amount = _monthly(item)
        if amount is None:
            return Recurring(currency, None)
        total += amount
    return Recurring(currency, round(total))


def _monthly(item: StripeObject) -> Fraction | None:
    """Return what an item costs a month; None where its price has no amount for each unit."""
    price: Any = item.get("price")
    if not isinstance(price, Mapping) or price.get("transform_quantity"):
        return None
    interval = price.get("recurring") or {}
    months = MONTHS.get(interval.get("interval", ""))
    # In fractions of a minor unit, where Stripe has those; then there is no `unit_amount`.
    unit: str | int | None = price.get("unit_amount_decimal") or price.get("unit_amount")
    # What is paid by usage has no quantity.
    quantity: int | None = item.get("quantity")
    if months is None or unit is None or quantity is None:
        return None
    return Fraction(unit) * quantity / (months * (interval.get("interval_count") or 1))
