"""The lease on an organization's sync: one process at a time asks, only the newest asker writes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from billing import mirror
from billing.models import Standing
from billing.models.standing import LEASE


@dataclass(frozen=True)
class Lease:
    """The right to ask about one organization, and what was known when it was taken."""

    organization_id: int
    name: str
    email: str
    owner_id: int
    # Of a closed organization nothing is billed any more.
    is_closed: bool
    generation: int
    mark: datetime
    customer_id: str | None
    # Stripe told us before that it deleted this customer.
    is_customer_deleted: bool
    customer_key: str
    is_retry: bool


def take(organization_id: int, now: datetime) -> Lease | None:
    """Return the lease, or leave a mark for whoever holds it and return None."""
    with transaction.atomic():
        rows = Standing.objects.select_for_update(of=("self",))
        standing = (
            rows.select_related("organization__owner").filter(organization=organization_id).first()
        )
        if standing is None:
            # The organization was removed meanwhile.
            return None
        if standing.is_leased(now):
            standing.sync_requested_at = now
            standing.save(update_fields=["sync_requested_at"])
            return None
        # Marked for as long as it runs, so that one that dies is found and repeated.
        standing.sync_requested_at = mark = standing.sync_requested_at or now
        standing.lease_until = now + LEASE
        standing.generation += 1
        standing.save(update_fields=["sync_requested_at", "lease_until", "generation"])
        organization = standing.organization
        customer_id = organization.stripe_customer_id
        return Lease(
            organization_id=organization_id,
            name=organization.name,
            email=organization.email,
            owner_id=organization.owner_id,
            is_closed=organization.closed_at is not None,
            generation=standing.generation,
            mark=mark,
            customer_id=customer_id,
            is_customer_deleted=customer_id is not None and mirror.is_deleted(customer_id),
            customer_key=str(standing.customer_key),
            is_retry=standing.generation > 1,
        )


def is_taken(organization_id: int, now: datetime) -> bool:
    """Whether a process is at it."""
    standing = Standing.objects.filter(organization=organization_id).only("lease_until").first()
    return standing is not None and standing.is_leased(now)


def give_back(lease: Lease, now: datetime) -> None:
    """Let others try, after a failure. The mark stays: this organization is still to be synced."""
    Standing.objects.filter(organization=lease.organization_id, generation=lease.generation).update(
        lease_until=now
    )
