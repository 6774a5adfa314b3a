"""The events that Stripe sent about a customer: dj-stripe's rows, by an index of ours.

The rows say in their JSON whom they speak of, and have no column for it.
"""

from __future__ import annotations

from django.db import connections
from django.db.models import F, QuerySet
from django.db.models.expressions import RawSQL
from djstripe.models import Event

from accounts.indexes import make_index

NAME = "billing_event_customer"
# The object of an event is the customer, or belongs to it.
WHOM = {
    "sqlite": (
        "COALESCE(json_extract(data, '$.object.customer'), json_extract(data, '$.object.id'))"
    ),
    "postgresql": "COALESCE(data #>> '{object,customer}', data #>> '{object,id}')",
}


def events_of(customer_id: str) -> QuerySet[Event]:
    """Return the events about a customer, those that arrived last first."""
    whom = RawSQL(WHOM[connections["default"].vendor], ())
    rows: QuerySet[Event] = Event.objects.alias(whom=whom).filter(whom=customer_id)
    return rows.order_by(F("djstripe_id").desc())


def install_index(using: str) -> None:
    """Have the index there. Safe to repeat, and repeated after each migrate: a table that SQLite
    rebuilds loses it."""
    columns = f"({WHOM[connections[using].vendor]}), djstripe_id"
    make_index(NAME, table="djstripe_event", columns=columns, using=using)
