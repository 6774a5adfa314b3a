"""Proving that what Stripe tells arrives here: once round, from our call to our webhook."""

from __future__ import annotations

import time
from datetime import timedelta

from djstripe.models import Event

from billing import gateway

# Seconds between two looks for the event.
PAUSE = 0.2


class NotProven(Exception):
    """Stripe was told something, and nothing of it arrived here in time."""


def prove_setup(*, patience: timedelta) -> None:
    """Have Stripe send an event of a customer made for that, and return when it has arrived.

    It arrives only if the endpoint's address leads here, and its secret is the one that we keep.
    The customer is removed again. Raises NotProven and BillingUnavailable.
    """
    customer = gateway.create_throwaway_customer()["id"]
    try:
        gateway.touch_customer(customer)
        deadline = time.monotonic() + patience.total_seconds()
        while not _is_taken(customer):
            if time.monotonic() > deadline:
                raise NotProven
            time.sleep(PAUSE)
    finally:
        gateway.delete_customer(customer)


def _is_taken(customer: str) -> bool:
    """Say whether the event is here, and no endpoint waits for it any more: another than the one
    that was set up may have brought it."""
    newest = Event.objects.filter(type="customer.updated").order_by("-djstripe_id")[:20]
    # Events that nobody can use are stored too.
    subjects = ((event.id, event.data.get("object")) for event in newest)
    arrived = [id for id, each in subjects if isinstance(each, dict) and each.get("id") == customer]
    return bool(arrived) and gateway.pending_deliveries(arrived[0]) == 0
