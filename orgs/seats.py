"""How many people an organization may have, and has."""

from __future__ import annotations

from dataclasses import dataclass

from orgs.models import Organization, Tier


@dataclass(frozen=True)
class Seats:
    """`limit` is None where the tier sets none."""

    taken: int
    limit: int | None

    @property
    def is_one_free(self) -> bool:
        """Whether one more may come in. Who is in stays in, also when the limit sinks below."""
        return self.limit is None or self.taken < self.limit


def seats_of(organization: Organization, tier: Tier) -> Seats:
    """Count the seats: everybody of the team takes one, but for the soft-deleted.

    `tier` is what the organization is entitled to, `Organization.tier_at`.
    """
    return Seats(organization.people().count(), tier.seat_limit)
