"""What `tools.kill_at_random` looks for at the end: whatever could have been lost."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator

from django.core.management import call_command
from django.db.models import Sum
from djstripe.models import Event

from billing import gateway
from billing.models import Standing
from billing.services.projection import current_policy
from billing.services.setup_endpoint import EVENTS
from billing.standing import AT_ONCE, ENDED, NEVER_STARTED, standing_of
from orgs import clock
from orgs.models import Organization
from tools.kill_stripe import stripe_api


def figures() -> dict[str, str]:
    made = _events()
    delivered, stored = sum(made.values()), Event.objects.count()
    syncs = Standing.objects.aggregate(begun=Sum("generation"))["begun"]
    return {
        "events": f"{len(made)} made, {delivered} delivered, {stored} stored",
        "syncs": f"{syncs} begun",
    }


def problems() -> Iterator[str]:
    """Compare the database with Stripe, once all is quiet, and tell where they disagree."""
    yield from _wrong_events()
    for organization in Organization.objects.select_related("standing", "tier"):
        for problem in _wrong_standing(organization):
            yield f"organization {organization.pk}: {problem}"
    yield from _strangers()
    said = io.StringIO()
    try:
        call_command("check_invariants", stdout=said)
    except SystemExit:
        yield said.getvalue()


def _events() -> dict[str, bool]:
    """Return whether each event that Stripe made for us was acknowledged by every endpoint."""
    listed = stripe_api().events.list({"types": EVENTS, "limit": 100})
    return {each.id: not each.pending_webhooks for each in listed.auto_paging_iter()}


def _wrong_events() -> Iterator[str]:
    made, stored = _events(), Counter(Event.objects.values_list("id", flat=True))
    for id, is_delivered in made.items():
        if not is_delivered:
            yield f"{id} was not delivered"
        elif stored[id] != 1:
            yield f"{id} was delivered, and is stored {stored[id]} times"
    yield from (f"{id} is stored, and none of Stripe's" for id in stored.keys() - made)


def _strangers() -> Iterator[str]:
    linked = set(Organization.objects.values_list("stripe_customer_id", flat=True))
    # Made to replace one that was deleted, and not linked yet: found by its key, when its owner
    # comes to pay again.
    deleted = Standing.objects.filter(reason="customer_deleted")
    spare = {str(key) for key in deleted.values_list("customer_key", flat=True)}
    for customer in stripe_api().customers.list({"limit": 100}).auto_paging_iter():
        key = customer.metadata.to_dict().get("customer_key")
        if customer.id in linked:
            continue
        if key not in spare:
            yield f"{customer.id} is a customer at Stripe without an organization"
        spare.discard(key)


def _wrong_standing(organization: Organization) -> Iterator[str]:
    standing, now, id = organization.standing, clock.now(), organization.stripe_customer_id
    if standing.sync_requested_at:
        yield f"it is marked since {standing.sync_requested_at}"
    if id is None:
        yield "it has no customer"
        return
    is_deleted = bool(gateway.retrieve_customer(id).get("deleted"))
    subscriptions = [] if is_deleted else gateway.list_subscriptions(id)
    invoices = [] if is_deleted else gateway.list_open_invoices(id)
    checkouts = [] if is_deleted else gateway.list_open_checkouts(id)
    verdict = standing_of(
        subscriptions,
        invoices,
        now,
        current_policy(),
        is_customer_deleted=is_deleted,
        free_chosen_at=standing.free_chosen_at,
    )
    tier = organization.tier.key if organization.tier else None
    # A lock at once begins when it is noticed, so its moment is not Stripe's to tell.
    locks_at = AT_ONCE if organization.is_locked(now) else organization.locked_from
    subscription, ends_at = standing.subscription_id, standing.ends_at
    stored = (standing.status, standing.reason, tier, subscription, locks_at, ends_at)
    if stored != tuple(vars(verdict).values()):
        yield f"it stands at {stored}, and Stripe says {verdict}"
    live = sum(each["status"] not in NEVER_STARTED | {ENDED} for each in subscriptions)
    if live > 1 or len(checkouts) > (0 if live else 1):
        yield f"it has {live} live subscriptions and {len(checkouts)} open checkouts"
