"""A tier in plain facts: what is compared, logged, and carried through the preview. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from django.contrib.auth.models import Permission

from orgs.models import Tier


@dataclass(frozen=True)
class TierFacts:
    """All of a tier but its key, which never changes. `entitlements` are sorted codenames."""

    name: str
    rank: int
    is_offered: bool
    seat_limit: int | None
    entitlements: tuple[str, ...]

    @classmethod
    def of(
        cls,
        *,
        name: str,
        rank: int,
        is_offered: bool,
        seat_limit: int | None,
        entitlements: Iterable[Permission],
    ) -> TierFacts:
        codenames = tuple(sorted(each.codename for each in entitlements))
        return cls(name.strip(), rank, is_offered, seat_limit, codenames)

    @property
    def data(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def mark(self) -> str:
        """What a page carries to say which facts it showed."""
        return json.dumps(self.data)


def facts_of(tier: Tier) -> TierFacts:
    """Return what the tier is, with one statement for its entitlements."""
    return TierFacts.of(
        name=tier.name,
        rank=tier.rank,
        is_offered=tier.is_offered,
        seat_limit=tier.seat_limit,
        entitlements=tier.entitlements.all(),
    )


@dataclass(frozen=True)
class TierChange:
    """What a change takes away from those who have the tier, and what it gives them."""

    before: TierFacts
    after: TierFacts

    @property
    def taken(self) -> list[str]:
        return sorted(set(self.before.entitlements) - set(self.after.entitlements))

    @property
    def given(self) -> list[str]:
        return sorted(set(self.after.entitlements) - set(self.before.entitlements))

    @property
    def lowers_limit(self) -> bool:
        return _is_lower(self.after.seat_limit, self.before.seat_limit)

    @property
    def raises_limit(self) -> bool:
        return _is_lower(self.before.seat_limit, self.after.seat_limit)

    @property
    def retires(self) -> bool:
        return self.before.is_offered and not self.after.is_offered

    @property
    def offers_again(self) -> bool:
        return self.after.is_offered and not self.before.is_offered

    @property
    def takes_something(self) -> bool:
        return bool(self.taken) or self.lowers_limit or self.retires

    @property
    def gives_something(self) -> bool:
        return bool(self.given) or self.raises_limit or self.offers_again


def _is_lower(limit: int | None, other: int | None) -> bool:
    """Whether a limit is lower than another one; None is no limit."""
    return limit is not None and (other is None or limit < other)
