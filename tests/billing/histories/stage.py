from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from pytest_django import Settings

from billing import gateway
from billing.models import TierPrice
from tests.sandbox_process import SandboxProcess


@dataclass
class Stage:
    """What all histories of a run share: an account at Stripe that is set up, and the count."""

    sandbox: SandboxProcess
    settings: Settings
    # Prices at Stripe by their look-up keys.
    prices: dict[str, str] = field(default_factory=dict)
    sold: list[tuple[str, int, str]] = field(default_factory=list)
    steps: int = 0
    refused: int = 0
    comparisons: int = 0
    divergences: int = 0
    # The step of the first divergence.
    first: int | None = None
    seen: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        first = f", the first at step {self.first}" if self.first else ""
        return (
            f"{self.steps} steps ({self.refused} refused), {self.comparisons} comparisons "
            f"{dict(self.seen)}, {self.divergences} divergences{first}"
        )

    def furnish(self) -> None:
        """Note what is sold, and have Stripe sell something that we know nothing of."""
        gateway.create_product(product_id="made_by_hand", name="Made by hand")
        gateway.create_price(
            product_id="made_by_hand",
            lookup_key="made_by_hand",
            currency="eur",
            amount=900,
            interval="month",
        )
        listed = gateway.api().prices.list({"limit": 100}).data
        self.prices = {price.lookup_key: price.id for price in listed}
        self.sold = [
            (str(id), tier, interval)
            for id, tier, interval in TierPrice.objects.values_list(
                "stripe_price_id", "tier", "interval"
            )
        ]
