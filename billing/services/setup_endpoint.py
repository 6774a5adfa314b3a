"""The webhook endpoint in a Stripe account: one, that gets the events that we use."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from functools import partial
from typing import Any

from django.conf import settings
from django.urls import reverse
from djstripe.models import WebhookEndpoint

from billing import gateway, mirror
from billing.gateway import StripeJson
from billing.services.setup_steps import Action, Step

# Each of these can change a standing, or what the pages show of it.
EVENTS = [
    "checkout.session.completed",
    "checkout.session.expired",
    "customer.deleted",
    "customer.updated",
    "customer.subscription.created",
    "customer.subscription.deleted",
    "customer.subscription.paused",
    "customer.subscription.resumed",
    "customer.subscription.updated",
    "invoice.finalized",
    "invoice.marked_uncollectible",
    "invoice.paid",
    "invoice.payment_action_required",
    "invoice.payment_failed",
    "invoice.payment_succeeded",
    "invoice.voided",
]


def endpoint_steps(base_url: str, *, renews_secret: bool = False) -> Iterator[Step]:
    """Keep exactly one endpoint under this address: of the pinned version, whose secret we know.

    Stripe tells the secret once, and never changes the version, so that such an endpoint is
    replaced, and one whose secret is to be another: the new one first, so that no event is missed.
    """
    prefix = f"{base_url}/stripe/webhook/"
    at_stripe = [
        each for each in gateway.list_webhook_endpoints() if each["url"].startswith(prefix)
    ]
    rows = WebhookEndpoint.objects.filter(url__startswith=prefix).exclude(secret="")
    known = dict(rows.values_list("id", "url"))
    usable = [
        each
        for each in at_stripe
        if not renews_secret
        and known.get(each["id"]) == each["url"]
        and each["api_version"] == settings.STRIPE_API_VERSION
    ]
    kept = usable[0] if usable else None
    others = [each for each in at_stripe if each is not kept]
    forget = partial(_forget_endpoints, prefix, kept and kept["id"])
    what = f"webhook endpoint under {base_url}"
    if kept is None:
        action = Action.REPLACE if others else Action.CREATE
        why = "with another secret" if renews_secret else _why_new(others, known)
        yield Step(action, what, why, partial(_create_endpoint, base_url))
        forget = partial(_forget_endpoints, prefix, None)
    elif set(kept["enabled_events"]) != set(EVENTS) or kept["status"] != "enabled":
        why = "it gets other events" if kept["status"] == "enabled" else "it was switched off"

        def update(id: str = kept["id"]) -> None:
            gateway.update_webhook_endpoint(id, events=EVENTS)
            forget()

        yield Step(Action.UPDATE, what, why, update)
    else:
        yield Step(Action.KEEP, what, f"is {kept['id']}", forget)
    for each in others:
        yield Step(
            Action.RETIRE,
            f"webhook endpoint {each['id']}",
            "there is one of ours",
            partial(_delete_endpoint, each["id"]),
        )


def _why_new(others: list[StripeJson], known: dict[str, str]) -> str:
    if not others:
        return "there is none"
    if any(known.get(each["id"]) == each["url"] for each in others):
        return "it speaks another version of Stripe's API"
    if any(each["id"] in known for each in others):
        return "its address was changed at Stripe"
    return "its secret is not known here"


def _create_endpoint(base_url: str) -> None:
    identifier = uuid.uuid4()
    path = reverse("djstripe:djstripe_webhook_by_uuid", args=[identifier])
    created = gateway.create_webhook_endpoint(url=base_url + path, events=EVENTS)
    mirror.write_webhook_endpoint(created, identifier)
    _forget_endpoints(f"{base_url}/stripe/webhook/", created["id"])


def _delete_endpoint(id: str) -> None:
    gateway.delete_webhook_endpoint(id)
    WebhookEndpoint.objects.filter(id=id).delete()


def _forget_endpoints(prefix: str, kept: Any) -> None:
    """Remove the rows of endpoints that Stripe no longer has."""
    left = {each["id"] for each in gateway.list_webhook_endpoints()}
    rows = WebhookEndpoint.objects.filter(url__startswith=prefix).exclude(id=kept)
    rows.exclude(id__in=left).delete()
