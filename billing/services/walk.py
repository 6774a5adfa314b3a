"""One walk beside Stripe's lists: hearing what Stripe says, comparing, and syncing what differs."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import TypeVar
from uuid import UUID

from django.db.models import Q

from billing import gateway, mirror
from billing.comparing import FOR_STAFF, Difference, Finding, Local, Remote, differences
from billing.gateway import BillingUnavailable, Page, StripeJson
from billing.models import ReconcileFinding, ReconcileRun, Standing
from billing.services.projection import current_policy
from billing.services.sync import Outcome, sync_organization
from billing.standing import is_live
from orgs import clock
from orgs.models import Organization

logger = logging.getLogger(__name__)

T = TypeVar("T")

# How often a call is repeated that Stripe refuses for now, and the pauses before that, in seconds:
# each is twice the one before.
MOST_TRIES = 8
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 60.0
# A customer is made within moments of the organization; one that lacks it longer is a finding.
CUSTOMER_WITHIN = timedelta(hours=1)
# So many customers in a row of whom Stripe has never heard: it is another account.
MOST_UNKNOWN = 20
CHUNK = 100


class WrongAccount(Exception):
    """The key's account knows none of our customers."""


class Walk:
    """What one run has heard from Stripe, and how it deals with each organization."""

    def __init__(self, run: ReconcileRun) -> None:
        self.run = run
        self.policy = current_policy()
        self.open_invoices: dict[str, list[StripeJson]] = {}
        # Of each customer the subscription that ended last.
        self.ended: dict[str, StripeJson] = {}

    def read_lists(self) -> None:
        for page in pages(gateway.open_invoices_page):
            for invoice in page.objects:
                self.open_invoices.setdefault(_customer(invoice), []).append(invoice)
        for page in pages(gateway.ended_subscriptions_page):
            for subscription in page.objects:
                known = self.ended.get(_customer(subscription))
                if known is None or _end(subscription) > _end(known):
                    self.ended[_customer(subscription)] = subscription

    def look_at(self, customers: list[StripeJson]) -> None:
        """Compare a page of customers with the organizations that they are linked to."""
        told = {str(each["id"]): each for each in customers}
        organizations = _organizations(Q(stripe_customer__in=told))
        kept = mirror.kept_of(told)
        now = clock.now()
        for organization in organizations:
            id = str(organization.stripe_customer_id)
            living = (told[id].get("subscriptions") or {}).get("data") or []
            last = self.ended.get(id)
            remote = Remote(
                told[id], [*living, *([last] if last else [])], self.open_invoices.get(id, [])
            )
            is_cut = bool((told[id].get("subscriptions") or {}).get("has_more"))
            if is_cut or differences(_local(organization, kept), remote, now, self.policy):
                self.look_closely(organization)
        linked = {str(each.stripe_customer_id) for each in organizations}
        for id in told.keys() - linked:
            self._look_at_stray(told[id])
        Standing.objects.filter(organization__in=organizations).update(
            reconciled_at=self.run.started_at
        )

    def look_for_missing(self) -> None:
        """Look at those whose customer is in none of Stripe's lists, and at those without one."""
        before = self.run.started_at
        unseen = Q(standing__reconciled_at=None) | Q(standing__reconciled_at__lt=before)
        gone = Q(stripe_customer__isnull=False, created_at__lt=before) & unseen
        never = Q(stripe_customer=None, created_at__lt=before - CUSTOMER_WITHIN, closed_at=None)
        unknown = 0
        for organization in _each(gone & ~Q(standing__reason="customer_deleted")):
            unknown = 0 if self.look_closely(organization) else unknown + 1
            if unknown == MOST_UNKNOWN:
                raise WrongAccount
        for organization in _each(never):
            self._settle(organization, [Difference(Finding.NO_CUSTOMER, "")])

    def look_closely(self, organization: Organization) -> bool:
        """Ask Stripe about one organization alone, and deal with what differs; say whether Stripe
        knows its customer."""
        (organization,) = _organizations(Q(pk=organization.pk))
        id = organization.stripe_customer_id
        if id is None:
            self._settle(organization, [Difference(Finding.NO_CUSTOMER, "")])
            return True
        remote = asked(lambda: _remote(id))
        if remote is None:
            self._settle(organization, [Difference(Finding.CUSTOMER_GONE, f"{id} is unknown")])
            return False
        local = _local(organization, mirror.kept_of([id]))
        found = differences(local, remote, clock.now(), self.policy)
        if found:
            self._settle(organization, found, remote)
        return True

    def _settle(
        self, organization: Organization, found: list[Difference], remote: Remote | None = None
    ) -> None:
        """Write down what differs, and have a sync mend what it can."""
        rows = [self._write_down(each, organization) for each in found]
        if self.run.is_dry_run or all(each.finding in FOR_STAFF for each in found):
            return
        if remote is None and organization.stripe_customer_id is not None:
            # Of a customer whom Stripe does not know, nothing can be asked.
            return
        try:
            outcome = asked(lambda: sync_organization(organization))
        except BillingUnavailable as error:
            if error.is_outage:
                raise
            # Stripe refuses this one alone: the others go on.
            logger.warning("Organization %s is not synced: %s", organization.pk, error)
            return
        if outcome is Outcome.SYNCED:
            mended = [row.pk for row in rows if row.finding not in FOR_STAFF]
            ReconcileFinding.objects.filter(pk__in=mended).update(repaired_at=clock.now())

    def _look_at_stray(self, customer: StripeJson) -> None:
        """A customer with our mark whom no organization is linked to: its organization may be about
        to be, or is gone. Others of the account are not ours."""
        try:
            key = UUID((customer.get("metadata") or {}).get("customer_key", ""))
        except ValueError:
            return
        standing = Standing.objects.filter(customer_key=key).select_related("organization").first()
        if standing is not None and standing.organization.stripe_customer_id is None:
            self._settle(
                standing.organization, [Difference(Finding.NO_CUSTOMER, str(customer["id"]))]
            )
            return
        living = (customer.get("subscriptions") or {}).get("data") or []
        if live := [each["id"] for each in living if is_live(each)]:
            stray = Difference(Finding.STRAY_CUSTOMER, ", ".join(sorted(live)))
            self._write_down(stray, None, str(customer["id"]))

    def _write_down(
        self, difference: Difference, organization: Organization | None, customer: str = ""
    ) -> ReconcileFinding:
        row, _is_new = ReconcileFinding.objects.get_or_create(
            run=self.run,
            organization=organization,
            customer=customer or (organization and organization.stripe_customer_id) or "",
            finding=difference.finding,
            what=difference.what[:500],
            defaults={"found_at": clock.now()},
        )
        return row


def _remote(customer_id: str) -> Remote | None:
    customer = gateway.find_known_customer(customer_id)
    if customer is None:
        return None
    if customer.get("deleted"):
        return Remote(customer)
    return Remote(
        customer,
        gateway.list_subscriptions(customer_id),
        gateway.list_open_invoices(customer_id),
    )


def _local(
    organization: Organization,
    kept: tuple[dict[str, dict[str, StripeJson]], dict[str, set[str]]],
) -> Local:
    standing: Standing = organization.standing
    subscriptions, open_invoices = kept
    id = str(organization.stripe_customer_id)
    return Local(
        name=organization.name,
        email=organization.email,
        is_closed=organization.closed_at is not None,
        status=standing.status,
        reason=standing.reason,
        tier=organization.tier.key if organization.tier else None,
        subscription=standing.subscription_id,
        ends_at=standing.ends_at,
        locked_from=organization.locked_from,
        free_chosen_at=standing.free_chosen_at,
        exemption=standing.exemption,
        subscriptions=subscriptions[id],
        open_invoices=frozenset(open_invoices[id]),
    )


def _organizations(which: Q) -> list[Organization]:
    rows = Organization.objects.filter(which, standing__isnull=False)
    return list(rows.select_related("owner", "tier", "standing__exempt_tier"))


def _each(which: Q) -> Iterator[Organization]:
    """Go through organizations by their keys, however many there are."""
    last = 0
    while chunk := list(Organization.objects.filter(which, pk__gt=last).order_by("pk")[:CHUNK]):
        yield from chunk
        last = chunk[-1].pk


def pages(ask: Callable[[str | None], Page]) -> Iterator[Page]:
    after: str | None = None
    while True:
        page = asked(partial(ask, after))
        yield page
        if not page.has_more:
            return
        after = str(page.objects[-1]["id"])


def asked(call: Callable[[], T]) -> T:
    """Make a call, again and again while Stripe says that it is asked too often or is out of reach.

    Raises BillingUnavailable in the end.
    """
    for attempt in range(MOST_TRIES):
        try:
            return call()
        except BillingUnavailable as error:
            if not error.is_outage:
                raise
            time.sleep(min(FIRST_PAUSE * 2**attempt, LONGEST_PAUSE))
    return call()


def _customer(owned: StripeJson) -> str:
    customer = owned["customer"]
    return str(customer["id"] if isinstance(customer, dict) else customer)


def _end(subscription: StripeJson) -> tuple[int, str]:
    ended_at = subscription.get("ended_at") or subscription.get("canceled_at") or 0
    return ended_at, subscription["id"]
