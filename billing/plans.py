"""What the billing page offers: tiers with their prices, as the mirror knows them."""

from __future__ import annotations

from dataclasses import dataclass

from djstripe.models import Price

from billing.models import TierPrice
from billing.money import format_money
from orgs.models import Tier


@dataclass(frozen=True)
class PlanPrice:
    pk: int
    interval: str
    display: str


@dataclass(frozen=True)
class Plan:
    tier: Tier
    prices: list[PlanPrice]
    is_current: bool


def offered_plans(current: Tier | None) -> list[Plan]:
    """Return the tiers on offer, the lowest first, each with the prices that can be bought.

    Of several prices for one tier and interval the newest is sold; older ones only keep serving.
    """
    rows = TierPrice.objects.order_by("pk")
    mirrored = Price.objects.in_bulk([row.stripe_price_id for row in rows], field_name="id")
    prices: dict[int, dict[str, PlanPrice]] = {}
    for row in rows:
        price = mirrored.get(row.stripe_price_id)
        if price is not None and price.active:
            display = format_money(price.stripe_data["unit_amount"], price.currency)
            of_tier = prices.setdefault(row.tier_id, {})
            of_tier[row.interval] = PlanPrice(row.pk, row.interval, display)
    return [
        Plan(
            tier,
            sorted(prices.get(tier.pk, {}).values(), key=lambda price: price.interval),
            is_current=tier == current,
        )
        for tier in Tier.objects.offered()
    ]
