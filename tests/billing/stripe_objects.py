"""Stripe's JSON in small: what `standing_of` and the webhook read, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
DAY = 86_400
PRO = "price_pro"
BUSINESS = "price_business"


def at(days: float) -> int:
    """A moment, in days from NOW, as Stripe writes it."""
    return int(NOW.timestamp() + days * DAY)


def moment(days: float) -> datetime:
    return datetime.fromtimestamp(at(days), UTC)


def subscription(status: str, price: str = PRO, **fields: Any) -> dict[str, Any]:
    return {
        "id": "sub_1",
        "object": "subscription",
        "status": status,
        "created": at(-40),
        "items": {
            "data": [
                {
                    "price": {"id": price},
                    "current_period_start": at(-10),
                    "current_period_end": at(20),
                }
            ]
        },
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
