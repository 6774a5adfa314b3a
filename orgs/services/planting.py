from __future__ import annotations

from orgs.models import FREE_TIER_KEY, Tier

DEFAULT_TIERS = (
    {"key": FREE_TIER_KEY, "name": "Free", "rank": 0, "seat_limit": 3},
    {"key": "pro", "name": "Pro", "rank": 10, "seat_limit": 20},
    {"key": "business", "name": "Business", "rank": 20, "seat_limit": None},
)


def plant_tiers(*, using: str = "default") -> None:
    """Create the default tiers that are missing; never change one that is there.

    Safe to repeat, and repeated after each migrate.
    """
    present = set(Tier.objects.using(using).values_list("key", flat=True))
    for fields in DEFAULT_TIERS:
        if fields["key"] not in present:
            Tier.objects.using(using).create(**fields)
