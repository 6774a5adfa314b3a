"""Pages of Stripe's lists, over all customers: what a reconcile walks through."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings

from billing.gateway import client
from billing.gateway.client import StripeJson, api, as_json, translated


@dataclass(frozen=True)
class Page:
    """One page of a list, newest first."""

    objects: list[StripeJson]
    has_more: bool


def _page(answer: Any) -> Page:
    return Page([as_json(each) for each in answer.data], bool(answer.has_more))


def _of_page(after: str | None, **params: Any) -> StripeJson:
    return params | {"limit": client.PAGE_SIZE} | ({"starting_after": after} if after else {})


def _by_clock() -> StripeJson:
    # Those who live by a test clock are in no list but its own.
    return {"test_clock": settings.STRIPE_TEST_CLOCK} if settings.STRIPE_TEST_CLOCK else {}


@translated
def customers_page(after: str | None) -> Page:
    """Return a page of all customers but deleted ones, each with its unended subscriptions."""
    params = _of_page(after, expand=["data.subscriptions"], **_by_clock())
    return _page(api().customers.list(params))


@translated
def ended_subscriptions_page(after: str | None) -> Page:
    params = _of_page(after, status="ended", **_by_clock())
    return _page(api().subscriptions.list(params))


@translated
def open_invoices_page(after: str | None) -> Page:
    return _page(api().invoices.list(_of_page(after, status="open")))


@translated
def events_page(after: str | None, *, since: datetime, types: list[str]) -> Page:
    """Return a page of the events of these types since a moment. Stripe keeps them for 30 days."""
    created = {"gte": int(since.timestamp())}
    return _page(api().events.list(_of_page(after, created=created, types=types)))
