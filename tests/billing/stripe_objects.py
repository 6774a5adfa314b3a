"""Stripe's JSON in small: what `standing_of` and the webhook read, and nothing else. With it, the
policy by which tests judge it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from billing.standing import Policy, PricedTier, Verdict, standing_of

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
DAY = 86_400
PRO = "price_pro"
BUSINESS = "price_business"
UNMAPPED = "price_unknown"
PRICES = {PRO: PricedTier("pro", 10), BUSINESS: PricedTier("business", 20)}


def at(days: float) -> int:
    """A moment, in days from NOW, as Stripe writes it."""
    return int(NOW.timestamp() + days * DAY)


def moment(days: float) -> datetime:
    return datetime.fromtimestamp(at(days), UTC)


def item(price: Any = PRO, **fields: Any) -> dict[str, Any]:
    return {
        "price": {"id": price},
        "current_period_start": at(-10),
        "current_period_end": at(20),
    } | fields


def subscription(status: str, price: str = PRO, **fields: Any) -> dict[str, Any]:
    return {
        "id": "sub_1",
        "object": "subscription",
        "status": status,
        "created": at(-40),
        "items": {"data": [item(price)]},
        "cancel_at": None,
        "cancel_at_period_end": False,
        "canceled_at": None,
        "ended_at": None,
        "cancellation_details": {"reason": None},
    } | fields


def ended(reason: str | None, days: float = -1, **fields: Any) -> dict[str, Any]:
    return subscription(
        "canceled", ended_at=at(days), cancellation_details={"reason": reason}, **fields
    )


def invoice(days: float, *, of: str = "sub_1", remaining: int = 1900, **fields: Any) -> Any:
    return {
        "object": "invoice",
        "amount_remaining": remaining,
        "due_date": None,
        "status_transitions": {"finalized_at": at(days)},
        "parent": {"subscription_details": {"subscription": of}},
    } | fields


def policy(grace_days: int = 0, *, is_free_offered: bool = True) -> Policy:
    return Policy(timedelta(days=grace_days), is_free_offered, PRICES)


def verdict(
    *subscriptions: Any, invoices: Iterable[Any] = (), rules: Policy | None = None, **facts: Any
) -> Verdict:
    """What `standing_of` says of these at NOW, with no grace and a free tier unless told."""
    return standing_of(list(subscriptions), list(invoices), NOW, rules or policy(), **facts)
