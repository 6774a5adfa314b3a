"""What the billing page offers: tiers with their prices, as the mirror knows them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from djstripe.models import Price

from billing.models import TierPrice
from billing.money import format_money
from orgs.models import FEATURES, Tier


@dataclass(frozen=True)
class PlanPrice:
    pk: int
    interval: str
    display: str
    is_current: bool
    # Days in which a new customer pays nothing.
    trial_days: int | None


@dataclass(frozen=True)
class Plan:
    tier: Tier
    prices: list[PlanPrice]
    is_current: bool
    # What the tier entitles to: codenames of FEATURES.
    features: frozenset[str]

    @property
    def offers(self) -> list[str]:
        """What it offers, in people's words."""
        return [str(words) for name, words in FEATURES.items() if name in self.features]


@dataclass(frozen=True)
class ComparisonRow:
    """One feature, and for each of the plans in their order whether it is in there."""

    feature: str
    cells: list[tuple[Plan, bool]]


def offered_plans(current: Tier | None, paid: Collection[str] = ()) -> list[Plan]:
    """Return the tiers on offer, the lowest first, each with the prices that can be bought.

    `current` is the organization's tier and `paid` the Stripe prices that it pays. Of several
    prices for one tier and interval the newest is sold; older ones only keep serving.
    """
    prices: dict[int, list[PlanPrice]] = {}
    for row, price in sorted(_sold(), key=lambda pair: pair[0].interval):
        display = format_money(price.stripe_data["unit_amount"], price.currency)
        shown = PlanPrice(
            row.pk,
            row.interval,
            display,
            is_current=price.id in paid,
            trial_days=row.trial_days,
        )
        prices.setdefault(row.tier_id, []).append(shown)
    return [
        Plan(
            tier,
            prices.get(tier.pk, []),
            is_current=tier == current,
            features=frozenset(each.codename for each in tier.entitlements.all()),
        )
        for tier in Tier.objects.offered().prefetch_related("entitlements")
    ]


def comparison_of(plans: list[Plan]) -> list[ComparisonRow]:
    """Return the features that any of the plans has, each beside all of them."""
    return [
        ComparisonRow(str(words), [(plan, name in plan.features) for plan in plans])
        for name, words in FEATURES.items()
        if any(name in plan.features for plan in plans)
    ]


def display_of(price: TierPrice) -> str:
    """Return a sold price's amount as people write it."""
    mirrored = Price.objects.get(id=price.stripe_price_id)
    return format_money(mirrored.stripe_data["unit_amount"], mirrored.currency)


def features_lost(current: Tier | None, chosen: Tier) -> list[str]:
    """Return what a change of tier takes away, in people's words."""
    if current is None:
        return []
    kept = set(chosen.entitlements.values_list("codename", flat=True))
    had = current.entitlements.values_list("codename", flat=True)
    return [str(FEATURES[name]) for name in sorted(had) if name in FEATURES and name not in kept]


def is_sold(price: TierPrice) -> bool:
    """Say whether somebody can buy at this price today, as `offered_plans` would show it."""
    return price.tier.is_offered and any(row == price for row, _mirrored in _sold())


def sold_at_stripe() -> dict[str, list[str]]:
    """Return the ids at Stripe of what is sold: the prices of each product."""
    products: dict[str, list[str]] = {}
    sold = [price for row, price in _sold() if row.tier.is_offered]
    for price in sorted(sold, key=lambda price: price.id):
        products.setdefault(price.product_id, []).append(price.id)
    return products


def _sold() -> list[tuple[TierPrice, Price]]:
    """Return the newest active price of each tier and interval."""
    rows = TierPrice.objects.at_stripe().select_related("tier").order_by("pk")
    mirrored = Price.objects.in_bulk([row.stripe_price_id for row in rows], field_name="id")
    newest: dict[tuple[int, str], tuple[TierPrice, Price]] = {}
    for row in rows:
        price = mirrored.get(row.stripe_price_id)
        if price is not None and price.active:
            newest[row.tier_id, row.interval] = (row, price)
    return list(newest.values())
