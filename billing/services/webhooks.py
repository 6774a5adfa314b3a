from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from django.db import transaction

from billing import mirror
from billing.services.marks import request_sync_of_customer

logger = logging.getLogger(__name__)


@transaction.atomic
def receive_event(*, event: dict[str, Any], now: datetime) -> bool:
    """Store a verified event and mark the organization that it speaks of; say whether there is one.
    Asks nobody anything.

    Which event it is decides nothing (docs/rules.md, "Standing"): it says that something
    happened to a customer, and the sync looks what. One that speaks of nobody we know is stored.
    """
    mirror.store_event(event)
    customer_id = customer_of(event)
    is_ours = bool(customer_id and request_sync_of_customer(customer_id=customer_id, now=now))
    if not is_ours:
        logger.info("Stripe event %s (%s) concerns no organization", event["id"], event["type"])
    return is_ours


def customer_of(event: dict[str, Any]) -> str | None:
    """Return the customer that the event's object is, or belongs to."""
    data = event.get("data")
    subject = data.get("object") if isinstance(data, dict) else None
    if not isinstance(subject, dict):
        return None
    customer = subject.get("id") if subject.get("object") == "customer" else subject.get("customer")
    if isinstance(customer, dict):
        customer = customer.get("id")
    return customer if isinstance(customer, str) else None
