"""Counting revenue: what pages of it show is counted here, outside of any request."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, QuerySet, Sum, Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from django_tasks import task

from accounts.activity import DORMANT_AFTER
from accounts.events import Event
from accounts.models import UserEventLog
from billing.models import Movement, MovementTotal, Standing, StandingTotal
from billing.movements import month_of, movement_of, shown_months
from orgs.models import FREE_TIER_KEY, Tier

# So many lines are read at once.
BATCH = 1000
# A transaction that is still open may hold the key of a line that lies among older ones: what was
# written in the last day is read again.
SETTLED_AFTER = timedelta(days=1)
# What standings are summed up by.
GROUP = ("tier", "status", "recurring_currency")


@task()
def count_revenue_now() -> None:
    """Count for somebody who does not want to wait for the day's count."""
    count_revenue(now=timezone.now())


def count_revenue(*, now: datetime) -> int:
    """Note the movements that the log tells, and sum up the shown months' and the present
    standings. Returns how many movements are new. Safe to repeat, and to kill on the way.

    Takes as long as there are organizations and lines of the last day; so it is run once a day.
    """
    noted = _note_movements(now)
    _sum_up_movements(now)
    _sum_up_standings(now)
    return noted


def _note_movements(now: datetime) -> int:
    """Note what the log tells from the newest movement on that lies a day back."""
    ranks = dict(Tier.objects.values_list("key", "rank"))
    settled = Movement.objects.filter(created_at__lte=now - SETTLED_AFTER).order_by("-line_id")
    last = settled.values_list("line_id", flat=True).first() or 0
    lines = UserEventLog.objects.filter(event=Event.STANDING_CHANGED).order_by("pk")
    known = Movement.objects.count()
    while batch := list(lines.filter(pk__gt=last)[:BATCH]):
        last = batch[-1].pk
        found = [movement for line in batch if (movement := _movement(line, ranks))]
        Movement.objects.bulk_create(found, ignore_conflicts=True)
    return Movement.objects.count() - known


def _movement(line: UserEventLog, ranks: dict[str, int]) -> Movement | None:
    data = line.data
    moved = movement_of(data.get("before") or {}, data.get("after") or {}, ranks)
    if moved is None:
        return None
    return Movement(
        line=line,
        organization_id=line.organization_id,
        created_at=line.created_at,
        kind=moved.kind,
        month=month_of(line.created_at),
        currency=moved.currency,
        amount=moved.amount,
    )


def _sum_up_movements(now: datetime) -> None:
    """Sum up the months that are shown. Older ones have not changed since they were."""
    shown = Movement.objects.filter(month__gte=shown_months(now)[0])
    sums = shown.values("month", "kind", "currency").annotate(
        movements=Count("pk"), total=Coalesce(Sum("amount"), 0)
    )
    totals = [
        MovementTotal(
            month=each["month"],
            kind=each["kind"],
            currency=each["currency"],
            movements=each["movements"],
            amount=each["total"],
        )
        for each in sums.order_by("month", "kind", "currency")
    ]
    MovementTotal.objects.bulk_create(
        totals,
        update_conflicts=True,
        unique_fields=["month", "kind", "currency"],
        update_fields=["movements", "amount"],
    )


@transaction.atomic
def _sum_up_standings(now: datetime) -> None:
    """Sum up all standings as they are, in one statement, and count those at risk in another."""
    sums = _grouped(Standing.objects.all()).annotate(
        organizations=Count("pk"),
        told=Count("recurring_amount"),
        total=Coalesce(Sum("recurring_amount"), 0),
    )
    at_risk = Standing.objects.paying().dormant_since(now - DORMANT_AFTER)
    dormant = {
        tuple(each[name] for name in GROUP): each["number"]
        for each in _grouped(at_risk).annotate(number=Count("pk"))
    }
    totals = [
        StandingTotal(
            tier=each["tier"],
            status=each["status"],
            currency=each["recurring_currency"],
            organizations=each["organizations"],
            told=each["told"],
            amount=each["total"],
            dormant=dormant.get(tuple(each[name] for name in GROUP), 0),
            counted_at=now,
        )
        for each in sums.order_by(*GROUP)
    ]
    StandingTotal.objects.bulk_create(
        totals,
        update_conflicts=True,
        unique_fields=["tier", "status", "currency"],
        update_fields=["organizations", "told", "amount", "dormant", "counted_at"],
    )
    # Nobody stands so any more.
    StandingTotal.objects.exclude(counted_at=now).delete()


def _grouped(standings: QuerySet[Standing]) -> Any:
    tier = Coalesce("organization__tier__key", Value(FREE_TIER_KEY))
    return standings.annotate(tier=tier).values(*GROUP)
