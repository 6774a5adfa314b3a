"""What Stripe says, asked anew, beside what the product keeps and shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse
from djstripe.models import Subscription

from accounts.models import UserEventLog
from billing import gateway, mirror, services
from billing.comparing import FOR_STAFF
from billing.invariants import INVARIANTS as OF_BILLING
from billing.models import PayerMail, Standing, TierPrice
from billing.services import projection
from billing.standing import AT_ONCE, NEVER_STARTED, Verdict, standing_of
from orgs.invariants import INVARIANTS as OF_ORGS
from orgs.invariants_of_roles import INVARIANTS as OF_ROLES
from orgs.models import Organization
from tests.billing.histories.desk import OVER, Desk
from tests.cast import signed_in

# People at Stripe can bill somebody twice, and at a price that we do not know. Then, and only
# then, these are broken.
OF_STRIPE = {"B9", "B10"}
# What histories set as the address for bills.
BILLS = "bills@example.com"


def divergences(organization: Organization, now: datetime) -> list[str]:
    """Say in words each way in which standing, tier, lock or mirror differ from Stripe."""
    organization = Organization.objects.select_related("tier").get(pk=organization.pk)
    customer = organization.stripe_customer_id
    if customer is None:
        return ["there is no customer"]
    is_deleted = bool(gateway.retrieve_customer(customer).get("deleted"))
    subscriptions = [] if is_deleted else gateway.list_subscriptions(customer)
    invoices = [] if is_deleted else gateway.list_open_invoices(customer)
    standing = Standing.objects.get(organization=organization)
    verdict = standing_of(
        subscriptions,
        invoices,
        now,
        projection.current_policy(),
        is_customer_deleted=is_deleted,
        free_chosen_at=standing.free_chosen_at,
    )
    return [
        *_of_standing(organization, standing, verdict, now),
        *_of_subscriptions(customer, {each["id"]: each for each in subscriptions}),
        *_of_invoices(customer, None if is_deleted else {each["id"] for each in invoices}),
    ]


def _of_standing(
    organization: Organization, standing: Standing, verdict: Verdict, now: datetime
) -> Iterator[str]:
    kept = {
        "status": standing.status,
        "reason": standing.reason,
        "tier": organization.tier.key if organization.tier else None,
        "subscription": standing.subscription_id,
        "ends_at": standing.ends_at,
    }
    for name, value in kept.items():
        wanted = getattr(verdict, name)
        if value != wanted:
            yield f"{name} is {value!r}, and should be {wanted!r}"
    locked_from = organization.locked_from
    if verdict.locks_at is AT_ONCE:
        fits = locked_from is not None and locked_from <= now
    else:
        fits = locked_from == verdict.locks_at
    if not fits:
        yield f"locked from {locked_from}, and should be {verdict.locks_at}"


def _of_subscriptions(customer: str, listed: dict[str, Any]) -> Iterator[str]:
    """Compare the whole of what Stripe lists, and how the others ended: what a deleted customer
    had is not listed any more, and no later change to it means anything."""
    rows = Subscription.objects.filter(customer_id=customer)
    kept = dict(rows.values_list("id", "stripe_data"))
    for id in kept.keys() | listed.keys():
        here, there = kept.get(id), listed.get(id)
        if there is None:
            here, there = _end(here), _end(gateway.retrieve_subscription(id))
        if here != there:
            yield f"subscription {id} is {_status(here)}, at Stripe {_status(there)}"


def _end(subscription: dict[str, Any] | None) -> dict[str, Any]:
    told = ("status", "ended_at", "cancellation_details")
    return {name: subscription[name] for name in told} if subscription else {}


def _status(subscription: dict[str, Any] | None) -> str:
    return subscription["status"] if subscription else "missing"


def _of_invoices(customer: str, listed: set[str] | None) -> Iterator[str]:
    """Compare which invoices are open. A deleted customer's (None) are no longer listed."""
    kept = mirror.open_invoices(customer)
    if listed is None:
        asked = {id: gateway.retrieve_invoice(id) for id in kept}
        listed = {id for id, invoice in asked.items() if invoice and invoice["status"] == "open"}
    if kept != listed:
        yield f"open invoices are {sorted(kept)}, at Stripe {sorted(listed)}"


def of_customers(organization: Organization) -> list[str]:
    """Say what is wrong with who the organization is at Stripe, and what it could still buy."""
    api = gateway.api()
    organization = Organization.objects.get(pk=organization.pk)
    lasting = api.customers.list({"test_clock": settings.STRIPE_TEST_CLOCK, "limit": 100}).data
    found = []
    if len(lasting) > 1:
        found.append(f"there are {len(lasting)} customers")
    for customer in lasting:
        if customer.id != organization.stripe_customer_id:
            continue
        if (customer.email, customer.name) != (organization.email, organization.name):
            found.append(f"the customer is {customer.name}, {customer.email}")
        sessions = api.checkout.sessions.list({"customer": customer.id, "status": "open"}).data
        begun = [each for each in Desk(customer.id).living() if each.status not in NEVER_STARTED]
        if len(sessions) > (0 if begun else 1):
            found.append(f"{len(sessions)} checkouts are open beside {len(begun)} subscriptions")
    return found


def of_pages(organization: Organization, now: datetime) -> list[str]:
    """Say who is let in, or kept out, otherwise than owner and lock say."""
    organization = Organization.objects.get(pk=organization.pk)
    found = []
    for person in organization.members.all():
        is_out = person.pk != organization.owner_id and organization.is_locked(now)
        answer = signed_in(person).get(reverse("home")).status_code
        if answer != (403 if is_out else 200):
            found.append(f"{person} is answered {answer}, and the lock is {is_out}")
    return found


def of_reconcile(organization: Organization) -> list[str]:
    """Say what a reconcile would mend: it must see no more than there is."""
    run = services.begin_partial_run(is_dry_run=True)
    services.reconcile_one(run, organization=organization)
    found = [f"reconcile: {each}" for each in run.findings.all() if each.finding not in FOR_STAFF]
    run.delete()
    return found


def of_mails(organization: Organization, messages: Sequence[Any]) -> list[str]:
    """Say which mail about billing left twice, or went to anybody but whoever paid then."""
    left = [each for each in messages if "payer-" in each.extra_headers.get("Message-ID", "")]
    rows = {
        f"payer-{row.pk}-": row
        for row in PayerMail.objects.filter(organization=organization).select_related("owner")
    }
    found = []
    counts = Counter(each.extra_headers["Message-ID"] for each in left)
    found += [f"{id} left {count} times" for id, count in counts.items() if count > 1]
    for message in left:
        id = message.extra_headers["Message-ID"]
        row = next(row for key, row in rows.items() if key in id)
        assert row.owner is not None
        if not {row.owner.email} <= set(message.to) <= {row.owner.email, BILLS}:
            found.append(f"{id} went to {message.to}")
    owner = None
    for line in UserEventLog.objects.filter(organization=organization).order_by("pk"):
        if line.event in ("organization_founded", "ownership_received"):
            owner = line.user_id
        elif line.event == "payer_told" and line.user_id != owner:
            found.append(f"the mail of line {line.pk} went to {line.user_id}, who did not own it")
    return found


def of_invariants(organization: Organization, now: datetime) -> list[str]:
    """Say which of docs/rules.md's invariants are broken, and which should be and are not."""
    broken = {each.id for each in (*OF_ORGS, *OF_ROLES, *OF_BILLING) if next(each.find(now), None)}
    customer = Organization.objects.get(pk=organization.pk).stripe_customer_id
    return [f"broken invariants: {sorted(broken)}"] if broken != _wanted(customer) else []


def _wanted(customer: str | None) -> set[str]:
    """Return those of OF_STRIPE that Stripe's state breaks."""
    if customer is None or gateway.retrieve_customer(customer).get("deleted"):
        return set()
    begun = [
        each
        for each in gateway.list_subscriptions(customer)
        if each["status"] not in OVER | NEVER_STARTED
    ]
    known = set(TierPrice.objects.values_list("stripe_price_id", flat=True))
    prices = [{item["price"]["id"] for item in each["items"]["data"]} for each in begun]
    wanted = {"B9": len(begun) > 1, "B10": any(not theirs & known for theirs in prices)}
    return {id for id, is_broken in wanted.items() if is_broken}
