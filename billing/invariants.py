"""What must hold between organizations, standings, dj-stripe's mirror and the log.

A sync writes all four in one transaction (`billing.services.sync`), so they agree at every
moment, however far Stripe is ahead. What follows Stripe or the organization later, under a mark,
is looked for only where there is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Case, Count, Exists, F, Func, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.fields.json import KT, KeyTextTransform
from djstripe.models import Customer, Subscription

from accounts.events import Event
from accounts.models import UserEventLog
from billing import mirror
from billing.models import Standing, Status, TierPrice
from billing.standing import ENDED, ENDED_FOR_DEBT, NEVER_STARTED, PAID
from orgs.invariants import Invariants, failing, named, number_of, truth
from orgs.models import FREE_TIER_KEY, Organization

# Longer than a sync and its retries by `sync_billing --due` take.
STALE_AFTER = timedelta(minutes=5)
CUSTOMER_DELETED = Q(status=Status.LAPSED, reason="customer_deleted")
UNPAID = ("unpaid", "paused")
# What `standing_of` tells apart; it calls the rest unknown.
KNOWN = sorted(PAID | NEVER_STARTED | {ENDED, "past_due", *UNPAID})
AS_FOUNDED = {
    "status": "free",
    "reason": "",
    "tier": FREE_TIER_KEY,
    "locked_from": None,
    "ends_at": None,
    "subscription": None,
    "recurring": None,
}
INVARIANTS = Invariants()
SYNC = "Sync the organization."


class PricesOf(Func):
    """The ids of the prices in a subscription as Stripe tells it: a subquery, for `__in`."""

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = (
            "(SELECT json_extract(item.value, '$.price.id') "
            "FROM json_each(%(expressions)s, '$.items.data') AS item)"
        )
        return self.as_sql(compiler, connection, template=template, **context)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        path = "jsonb_path_query(%(expressions)s, '$.items.data[*].price.id')"
        template = f"(SELECT {path} #>> '{{}}')"
        return self.as_sql(compiler, connection, template=template, **context)


def _of_organizations(standings: QuerySet[Any]) -> Iterator[str]:
    return named("organization", standings, "organization_id").iterator()


def _live(customer: str | None = None) -> QuerySet[Any]:
    """Subscriptions that began and have not ended, all or one customer's."""
    over = Q(stripe_data__status__in=sorted(NEVER_STARTED | {ENDED}))
    live: QuerySet[Any] = Subscription.objects.exclude(truth(over))
    return live.filter(customer=OuterRef(customer)) if customer else live


@INVARIANTS.add(
    "B1",
    "Every organization has one standing, and every standing an organization.",
    "Open the missing one with `billing.services.open_standing`; of two, delete the older.",
)
def _without_one_standing(now: datetime) -> Iterator[str]:
    standings = Standing.objects.filter(organization=OuterRef("pk"))
    organizations = Organization.objects.alias(standings=number_of(standings, "organization"))
    wrong = named("organization", failing(organizations, Q(standings=1)))
    theirs = Organization.objects.filter(pk=OuterRef("organization_id"))
    astray = named("standing", Standing.objects.exclude(Exists(theirs)))
    return wrong.union(astray, all=True).iterator()


@INVARIANTS.add(
    "B2", "Free and lapsed have no tier; current has one, unless its price is unmapped.", SYNC
)
def _tier_not_as_standing(now: datetime) -> Iterator[str]:
    none = Q(organization__tier=None)
    as_written = (
        # Staff may have named another.
        Q(exempt_tier__isnull=False)
        | Q(status__in=[Status.FREE, Status.LAPSED]) & none
        | Q(status=Status.CURRENT, reason="") & ~none
        | Q(status=Status.CURRENT, reason="unmapped_price") & none
        # Unmapped or not, the lock decides.
        | Q(status=Status.PAST_DUE)
    )
    return _of_organizations(failing(Standing.objects.all(), as_written))


@INVARIANTS.add(
    "B3", "Past due and lapsed have a lock, free and current none; only past due has a grace.", SYNC
)
def _lock_not_as_standing(now: datetime) -> Iterator[str]:
    locks = F("organization__locked_from")
    unlocked = [Status.FREE, Status.CURRENT]
    as_written = (
        Q(status__in=unlocked, grace_ends_at=None, organization__locked_from=None)
        | Q(status=Status.PAST_DUE, grace_ends_at=locks)
        # A lapse locks at once: at the sync that noticed it, or before.
        | Q(status=Status.LAPSED, grace_ends_at=None, synced_at__gte=locks)
        # Or when its exemption ends.
        | Q(status=Status.LAPSED, grace_ends_at=None, exempt_until=locks)
    )
    return _of_organizations(failing(Standing.objects.all(), as_written))


@INVARIANTS.add(
    "B4", "A standing's subscription is its own customer's, and is in the state that it says.", SYNC
)
def _subscription_not_as_standing(now: datetime) -> Iterator[str]:
    own = Q(subscription__customer=F("organization__stripe_customer"))

    def stripe_says(*statuses: str) -> Q:
        return own & Q(subscription__stripe_data__status__in=statuses)

    lapsed = Q(status=Status.LAPSED)
    as_written = (
        Q(status=Status.FREE, subscription=None)
        | Q(status=Status.CURRENT) & stripe_says(*sorted(PAID))
        | Q(status=Status.PAST_DUE) & stripe_says("past_due")
        | lapsed & Q(reason__in=["customer_deleted", "no_subscription"], subscription=None)
        | lapsed & Q(reason="unpaid") & stripe_says("unpaid")
        | lapsed & Q(reason="paused") & stripe_says("paused")
        | lapsed & Q(reason="unknown_status") & own & ~stripe_says(*KNOWN)
        | lapsed & Q(reason__in=sorted(ENDED_FOR_DEBT)) & stripe_says(ENDED)
    )
    return _of_organizations(failing(Standing.objects.all(), as_written))


@INVARIANTS.add(
    "B5", "A customer is deleted in the mirror exactly where the standing says so.", SYNC
)
def _deletion_not_as_standing(now: datetime) -> Iterator[str]:
    is_deleted = truth(Q(organization__stripe_customer__stripe_data__deleted=True))
    linked: QuerySet[Any] = Standing.objects.filter(organization__stripe_customer__isnull=False)
    compared = linked.alias(is_deleted=is_deleted, is_told=truth(CUSTOMER_DELETED))
    return _of_organizations(compared.exclude(is_deleted=F("is_told")))


@INVARIANTS.add(
    "B6", "No subscription in the mirror asks for a better standing than there is.", SYNC
)
def _better_than_standing(now: datetime) -> Iterator[str]:
    """Look for a subscription that would make the standing a better one.

    That the standing's own is as good as it says is B4's.
    """
    live = _live("organization__stripe_customer")
    paid = live.filter(stripe_data__status__in=sorted(PAID))
    owed = live.filter(stripe_data__status="past_due")
    unpaid = Q(status=Status.LAPSED, reason__in=[*UNPAID, "unknown_status"])
    ended = Q(status=Status.LAPSED, reason__in=[*sorted(ENDED_FOR_DEBT), "no_subscription"])
    missed = (
        Q(status=Status.PAST_DUE) & Exists(paid)
        | unpaid & (Exists(paid) | Exists(owed))
        | (Q(status=Status.FREE) | ended) & Exists(live)
    )
    return _of_organizations(Standing.objects.filter(missed))


@INVARIANTS.add(
    "B7",
    "No customer in the mirror has a subscriber: `Organization.stripe_customer` is the link.",
    "Set `subscriber_id` to null, and find out what wrote it: nothing here does.",
)
def _customers_with_subscriber(now: datetime) -> Iterator[str]:
    return named("customer", Customer.objects.filter(subscriber__isnull=False), "id").iterator()


@INVARIANTS.add(
    "B8",
    "A live subscription's customer is an organization's.",
    "Find whose it was by the `customer_linked` lines. End it at Stripe if it is nobody's.",
)
def _subscriptions_of_nobody(now: datetime) -> Iterator[str]:
    theirs = Organization.objects.filter(stripe_customer=OuterRef("customer_id"))
    return named("subscription", _live().exclude(Exists(theirs)), "id").iterator()


@INVARIANTS.add(
    "B16",
    "Nothing is billed for a closed organization.",
    "Sync the organization: that cancels its subscriptions.",
)
def _closed_and_billed(now: datetime) -> Iterator[str]:
    closed = Organization.objects.filter(
        closed_at__isnull=False, stripe_customer=OuterRef("customer_id")
    )
    return named("subscription", _live().filter(Exists(closed)), "id").iterator()


@INVARIANTS.add(
    "B9",
    "A customer has one live subscription at most.",
    "They are billed twice: end one at Stripe, and pay back what was too much.",
)
def _billed_twice(now: datetime) -> Iterator[str]:
    customers = _live().values("customer_id").annotate(n=Count("pk")).filter(n__gt=1)
    return named("customer", customers, "customer_id").iterator()


def _bought(subscription: str) -> QuerySet[TierPrice]:
    return TierPrice.objects.filter(stripe_price_id__in=PricesOf(OuterRef(subscription)))


@INVARIANTS.add(
    "B10",
    "A live subscription has a price that buys a tier.",
    "Add the price to a tier in the admin, then sync the organization.",
)
def _subscriptions_unmapped(now: datetime) -> Iterator[str]:
    unmapped = _live().exclude(Exists(_bought("stripe_data")))
    return named("subscription", unmapped, "id").iterator()


@INVARIANTS.add("B11", "The tier is the highest that the subscription's prices buy.", SYNC)
def _tier_not_as_bought(now: datetime) -> Iterator[str]:
    """A price can be mapped to another tier at any time; no sync follows by itself.

    That no price is mapped is B10's, and that a standing without fault has no tier B2's.
    """
    bought = _bought("subscription__stripe_data")
    theirs = bought.filter(tier=OuterRef("organization__tier"))
    higher = bought.filter(tier__rank__gt=OuterRef("organization__tier__rank"))
    paying = Standing.objects.filter(status__in=[Status.CURRENT, Status.PAST_DUE])
    paying = paying.filter(sync_requested_at=None, exempt_tier=None).exclude(
        reason="", organization__tier=None
    )
    return _of_organizations(
        paying.filter(Exists(bought)).exclude(Exists(theirs) & ~Exists(higher))
    )


@INVARIANTS.add(
    "B12", "An organization without a Stripe customer is marked, so that one will be made.", SYNC
)
def _without_customer_or_mark(now: datetime) -> Iterator[str]:
    forgotten = Standing.objects.filter(organization__stripe_customer=None, sync_requested_at=None)
    return _of_organizations(forgotten.exclude(CUSTOMER_DELETED))


@INVARIANTS.add(
    "B13",
    "A mark is synced within minutes.",
    "Run `manage.py sync_billing --due`, and see to it that it runs every minute.",
)
def _marks_forgotten(now: datetime) -> Iterator[str]:
    overdue = Standing.objects.due(now).filter(sync_requested_at__lt=now - STALE_AFTER)
    return _of_organizations(overdue.order_by())


@INVARIANTS.add("B14", "Stripe knows the organization's name and where its bills go.", SYNC)
def _customers_called_otherwise(now: datetime) -> Iterator[str]:
    wanted = Case(
        When(organization__billing_email="", then=F("organization__owner__email")),
        default=F("organization__billing_email"),
    )
    name = KeyTextTransform("name", "organization__stripe_customer__stripe_data")
    known = Standing.objects.filter(organization__stripe_customer__isnull=False)
    unmarked = known.filter(sync_requested_at=None)
    agrees = Q(organization__stripe_customer__stripe_data__deleted=True) | Q(
        organization__stripe_customer__email=F("wanted"), name_at_stripe=F("organization__name")
    )
    called = unmarked.alias(wanted=wanted, name_at_stripe=name)
    return _of_organizations(failing(called, agrees))


@INVARIANTS.add(
    "B15",
    "A lock that the clock began is in the log within minutes.",
    "Run `manage.py sync_billing --due`, and see to it that it runs every minute.",
)
def _locks_not_logged(now: datetime) -> Iterator[str]:
    return _of_organizations(Standing.objects.lock_begun(now - STALE_AFTER).order_by())


@INVARIANTS.add(
    "B17",
    "An exemption that is over is taken out within minutes.",
    "Run `manage.py sync_billing --due`, and see to it that it runs every minute.",
)
def _exemptions_left_over(now: datetime) -> Iterator[str]:
    return _of_organizations(Standing.objects.filter(exempt_until__lt=now - STALE_AFTER))


def _newest(event: Event, organization: str) -> QuerySet[UserEventLog]:
    lines = UserEventLog.objects.filter(event=event, organization=OuterRef(organization))
    return lines.order_by("-pk")


@INVARIANTS.add(
    "K2",
    "Webhook secrets are encrypted with ENCRYPTION_KEY.",
    "Run `manage.py encrypt_secrets`. What it cannot read was encrypted with another key: run "
    "`manage.py stripe_setup --renew-webhook-secret`.",
)
def _webhook_secrets_not_encrypted(now: datetime) -> Iterator[str]:
    return (f"webhook endpoint {each.id}" for each in mirror.endpoints_not_encrypted())


@INVARIANTS.add(
    "L3",
    "The newest `standing_changed` line tells the standing as it is.",
    "Sync the organization. If that changes nothing, a line was removed or changed.",
)
def _standing_not_as_told(now: datetime) -> Iterator[str]:
    """Compare in Python, where times and nulls of JSON are read alike on every database."""
    line = Subquery(_newest(Event.STANDING_CHANGED, "organization").values("data")[:1])
    standings: QuerySet[Any] = Standing.objects.select_related("organization__tier")
    for standing in standings.annotate(line=line).iterator():
        told = (standing.line or {}).get("after", AS_FOUNDED)
        stands = _noticeable(standing)
        # Older lines do not tell what is paid.
        if {"recurring": stands["recurring"]} | told != stands:
            yield f"organization {standing.organization_id}"


def _noticeable(standing: Standing) -> dict[str, Any]:
    """What a `standing_changed` line tells. Said anew, not asked of the sync that is checked."""
    organization = standing.organization
    locked_from, ends_at = organization.locked_from, standing.ends_at
    return {
        "status": standing.status,
        "reason": standing.reason,
        "tier": organization.tier.key if organization.tier else FREE_TIER_KEY,
        "locked_from": locked_from.isoformat() if locked_from else None,
        "ends_at": ends_at.isoformat() if ends_at else None,
        "subscription": standing.subscription_id,
        "recurring": asdict(standing.recurring) if standing.recurring else None,
    }


@INVARIANTS.add(
    "L4",
    "The newest `customer_linked` line names the organization's Stripe customer.",
    "Somebody moved the customer past the sync: link the one that the log names.",
)
def _customers_not_as_told(now: datetime) -> Iterator[str]:
    lines = _newest(Event.CUSTOMER_LINKED, "pk").annotate(customer=KT("data__stripe_customer"))
    linked = Organization.objects.filter(stripe_customer__isnull=False)
    told = linked.alias(told=Subquery(lines.values("customer")[:1]))
    return named("organization", failing(told, Q(stripe_customer=F("told")))).iterator()
