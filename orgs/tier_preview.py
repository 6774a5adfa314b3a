"""Who would lose what by a change of a tier, for staff to read before they decide.

It counts by the tier that an organization has. A lock changes what `Organization.tier_at` answers
and passes; closing too: who would come back without something is counted as losing it.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import Permission
from django.db.models import Count, Exists, F, OuterRef, Q

from accounts.models import User
from orgs.models import (
    FEATURES,
    FREE_TIER_KEY,
    Grant,
    Organization,
    OrganizationQuerySet,
    Tier,
    UserRoleAssignment,
)
from orgs.tier_facts import TierChange

# So many organizations are named; the others are counted.
NAMED = 20


@dataclass(frozen=True)
class Feature:
    """One entitlement, and how many people would lose it, or get it."""

    name: str
    people: int


@dataclass(frozen=True)
class Crowd:
    """A lower limit of seats, and who has more people than that, the largest first.

    Each of `first` has its `member_count`.
    """

    organizations: int
    first: list[Organization]


@dataclass(frozen=True)
class Preview:
    change: TierChange
    is_free: bool
    organizations: int
    first: list[Organization]
    taken: list[Feature]
    given: list[Feature]
    # None where the limit does not sink.
    crowd: Crowd | None


def preview_change(tier: Tier, change: TierChange) -> Preview:
    """Count who has the tier, and what each of the changes would be to them.

    Makes two statements, one for each entitlement taken or given, and two where the limit of
    seats sinks, however many organizations there are.
    """
    having = Organization.objects.having(tier)
    return Preview(
        change=change,
        is_free=tier.key == FREE_TIER_KEY,
        organizations=having.count(),
        first=list(having.order_by("name", "pk")[:NAMED]),
        taken=[_feature(codename, having) for codename in change.taken],
        given=[_feature(codename, having) for codename in change.given],
        crowd=_crowd(having, change.after.seat_limit) if change.lowers_limit else None,
    )


def _feature(codename: str, having: OrganizationQuerySet) -> Feature:
    """Count who holds it there: by a role, by a grant, or as the owner. The tier is then all that
    lies between them and the feature (docs/rules.md, "Permissions")."""
    permission = Permission.objects.filter(
        content_type__app_label="orgs", content_type__model="organization", codename=codename
    )
    here = OuterRef("organization")
    roles = UserRoleAssignment.objects.active().filter(
        user=OuterRef("pk"), organization=here, role__permissions__in=permission
    )
    grants = Grant.objects.filter(
        user=OuterRef("pk"), content_object=here, permission__in=permission
    )
    owns = Q(organization__owner=F("pk"))
    people = User.objects.get_queryset().present().filter(organization__in=having)
    held = people.filter(owns | Exists(roles) | Exists(grants))
    return Feature(str(FEATURES.get(codename, codename)), held.count())


def _crowd(having: OrganizationQuerySet, limit: int | None) -> Crowd:
    assert limit is not None, "no limit is not a lower one"
    in_seats = Count("members", filter=Q(members__deleted_at__isnull=True))
    beyond = having.annotate(member_count=in_seats).filter(member_count__gt=limit)
    first = beyond.order_by("-member_count", "name", "pk")[:NAMED]
    return Crowd(beyond.count(), list(first))
