"""Converging on the truth: ask Stripe, decide, write. The one way a standing changes.

The three steps and why they are apart are in docs/rules.md, "Converging". In short: the lease
lets one process at a time ask; the generation lets only the newest asker write; the mark is
cleared only if nothing happened since it was read.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from enum import Enum
from typing import TypeVar

from django.conf import settings

from billing import gateway
from billing.gateway import BillingUnavailable
from billing.metrics import SYNC_LAG
from billing.models import Standing
from billing.services import attempts, leases, projection
from billing.services.attempts import Attempt
from billing.services.facts import Facts, fetch
from billing.services.projection import Written
from orgs import clock
from orgs.models import Organization

T = TypeVar("T")

# How often the holder starts again because the mark moved, before it leaves the rest to others.
MOST_ROUNDS = 5
# Seconds between two looks at a sync that another process is at.
PAUSE = 0.2


class Outcome(Enum):
    SYNCED = "synced"
    # Another process is at it, and will look again because the mark was left.
    BUSY = "busy"
    # It took longer than its lease, and another process asked later: nothing was written.
    OVERTAKEN = "overtaken"


def sync_organization(organization: Organization) -> Outcome:
    """Make standing, tier, lock and mirror agree with what Stripe says now.

    Creates the Stripe customer when there is none. Must not run inside a transaction: it waits
    for Stripe. Raises billing.gateway.BillingUnavailable when Stripe cannot be asked; then
    nothing has changed and the organization stays marked.
    """
    outcome, _nothing = converge(organization.pk, lambda facts: None)
    return outcome


def converge(
    organization_id: int,
    errand: Callable[[Facts], T],
    *,
    starts_afresh: bool = False,
    ends_billing: bool = False,
) -> tuple[Outcome, T | None]:
    """Sync and, while nobody else can, run an errand at Stripe that rests on what it said.

    Returns the errand's last answer. With BUSY it stands, and more has happened since; with
    OVERTAKEN it rests on what may no longer hold. Because the mark may move, an errand may run
    more than once and must be safe to repeat. Raises what the errand raises, and
    BillingUnavailable.
    """
    with attempts.kept(organization_id, clock.now()) as attempt:
        return _rounds(organization_id, errand, starts_afresh, ends_billing, attempt)


def _rounds(
    organization_id: int,
    errand: Callable[[Facts], T],
    starts_afresh: bool,
    ends_billing: bool,
    attempt: Attempt,
) -> tuple[Outcome, T | None]:
    answer: T | None = None
    for _round in range(MOST_ROUNDS):
        lease = leases.take(organization_id, clock.now())
        if lease is None:
            return Outcome.BUSY, answer
        attempt.has_begun = True
        try:
            if settings.STRIPE_TEST_CLOCK:
                clock.keep_up_with(gateway.test_clock_time(settings.STRIPE_TEST_CLOCK))
            facts = fetch(lease, starts_afresh=starts_afresh, ends_billing=ends_billing)
            is_dead_end = facts.is_customer_deleted and (starts_afresh or lease.customer_id is None)
            if not is_dead_end:
                answer = errand(facts)
            written = projection.write(lease, facts, clock.now())
        except Exception:
            leases.give_back(lease, clock.now())
            raise
        if written is Written.SUPERSEDED:
            attempt.is_overtaken = True
            return Outcome.OVERTAKEN, answer
        if written is Written.DONE and not is_dead_end:
            SYNC_LAG.observe((clock.now() - lease.mark).total_seconds())
            return Outcome.SYNCED, answer
    return Outcome.BUSY, answer


def sync_now(*, organization: Organization, patience: timedelta) -> bool:
    """Sync for somebody who waits; say whether what they did at Stripe is known by now.

    When another process is at it already, wait for it, for as long as `patience`.
    """
    started_at = clock.now()
    deadline = time.monotonic() + patience.total_seconds()
    while sync_organization(organization) is not Outcome.SYNCED:
        is_free = _wait(organization, deadline)
        if Standing.objects.filter(
            organization=organization, synced_at__gt=started_at, sync_requested_at__isnull=True
        ).exists():
            return True
        if not is_free:
            return False
    return True


def converge_now(
    organization: Organization,
    errand: Callable[[Facts], T],
    *,
    undo: Callable[[T], object] = lambda answer: None,
    patience: timedelta,
    ends_billing: bool = False,
) -> T | None:
    """Run an errand for somebody who waits, and return its answer once it is seen to stand.

    What it did when it was overtaken is undone. A customer that was deleted at Stripe is replaced,
    but not to end its billing. Raises BillingUnavailable when another process stays at it longer
    than `patience`.
    """
    deadline = time.monotonic() + patience.total_seconds()
    while True:
        outcome, answer = converge(
            organization.pk, errand, starts_afresh=not ends_billing, ends_billing=ends_billing
        )
        if outcome is Outcome.SYNCED:
            return answer
        if outcome is Outcome.OVERTAKEN and answer is not None:
            undo(answer)
        if not _wait(organization, deadline):
            raise BillingUnavailable("Another process is syncing this organization")


def _wait(organization: Organization, deadline: float) -> bool:
    """Wait until nobody syncs it; say whether that was before the deadline.

    Only looks. Whoever waited by asking again would leave a mark each time, and the process that
    is waited for would find it moved whenever it is done, and begin again.
    """
    while time.monotonic() <= deadline:
        if not leases.is_taken(organization.pk, clock.now()):
            return True
        time.sleep(PAUSE)
    return False
