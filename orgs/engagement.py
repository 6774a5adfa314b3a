"""How much organizations use the product: what the admin shows of it, within a scope."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, F, Q

from accounts.activity import DORMANT_AFTER, Week, weeks_of, weeks_of_all
from accounts.models import ActiveWeek, User
from orgs.models import Organization
from orgs.permissions import seen_by, sees_all

# So many people are named, of those who were active last.
NAMED = 10


@dataclass(frozen=True)
class Engagement:
    """How many people of one team were active, and who last."""

    people: int
    in_7_days: int
    in_30_days: int
    # Those who never were come last.
    latest: list[User]

    @property
    def is_dormant(self) -> bool:
        return self.in_30_days == 0


def engagement_of(organization: Organization, now: datetime) -> Engagement:
    """Return what is known of an organization. Two statements, which read its own people."""
    people = organization.people()
    week, month = (
        Count("pk", filter=Q(last_active__gte=now - ago))
        for ago in (timedelta(days=7), DORMANT_AFTER)
    )
    numbers = people.aggregate(people=Count("pk"), in_7_days=week, in_30_days=month)
    # No index has this order, so that nobody looks for them among everybody's people.
    latest = people.order_by(F("last_active").desc(nulls_last=True), "pk")[:NAMED]
    return Engagement(**numbers, latest=list(latest))


def weeks_seen_by(user: User, now: datetime) -> list[Week]:
    """Return the weeks of the organizations that the admin shows to one of our own staff."""
    if sees_all(user):
        return weeks_of_all(now)
    return weeks_of(ActiveWeek.objects.filter(organization_id__in=seen_by(user).values("pk")), now)
