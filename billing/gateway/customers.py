"""Customers: the billable parties, one for each organization."""

from __future__ import annotations

import time

from django.conf import settings

from billing.gateway.client import StripeJson, api, as_json, or_none, translated


@translated
def create_customer(*, key: str) -> StripeJson:
    """Create the one customer of this key, or return it when it was created before.

    Nothing but the key goes into it: Stripe refuses a repeated key whose parameters changed, so
    what can change (e-mail, name) is set by `update_customer` afterwards.
    """
    params: StripeJson = {"metadata": {"customer_key": key}}
    if settings.STRIPE_TEST_CLOCK:
        params["test_clock"] = settings.STRIPE_TEST_CLOCK
    return as_json(api().customers.create(params, {"idempotency_key": key}))


@translated
def find_customer(*, key: str) -> StripeJson | None:
    """Return the customer of this key. Stripe forgets idempotency keys after a day, not this."""
    found = api().customers.search({"query": f"metadata['customer_key']:'{key}'", "limit": 1})
    return next((as_json(customer) for customer in found.data), None)


@translated
def find_known_customer(customer_id: str) -> StripeJson | None:
    """Return the customer; None when Stripe has none of this id, not even a deleted one."""
    return or_none(lambda: api().customers.retrieve(customer_id))


@translated
def retrieve_customer(customer_id: str) -> StripeJson:
    """Return the customer; one that was deleted has `deleted` true and little else."""
    return as_json(api().customers.retrieve(customer_id))


@translated
def update_customer(customer_id: str, *, email: str, name: str) -> StripeJson:
    return as_json(api().customers.update(customer_id, {"email": email, "name": name}))


@translated
def touch_customer(customer_id: str) -> None:
    """Change nothing that anybody sees, so that Stripe tells of it."""
    api().customers.update(customer_id, {"description": f"Touched at {time.time()}"})


@translated
def create_throwaway_customer() -> StripeJson:
    """Create a customer that is nobody's and has no mark of ours."""
    return as_json(api().customers.create({"description": "Proof of the webhook endpoint"}))


@translated
def delete_customer(customer_id: str) -> None:
    api().customers.delete(customer_id)
