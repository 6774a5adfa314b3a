"""Webhook endpoints, and the delivery of events to them."""

import json

import pytest
import stripe

from tests.sandbox.receiver import Receiver, eventually
from tests.sandbox.world import Shop
from tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.process


def endpoint(
    client: stripe.StripeClient, url: str, kinds: list[str] | None = None
) -> stripe.WebhookEndpoint:
    created: stripe.WebhookEndpoint = client.v1.webhook_endpoints.create(
        {"url": url, "enabled_events": kinds or ["*"]}  # type: ignore[typeddict-item]
    )
    return created


def test_the_secret_is_shown_once(stripe_client: stripe.StripeClient) -> None:
    made = endpoint(stripe_client, "http://product.test/hook")

    assert made.secret is not None
    assert made.secret.startswith("whsec_")
    assert "secret" not in stripe_client.v1.webhook_endpoints.retrieve(made.id).to_dict()
    assert "secret" not in stripe_client.v1.webhook_endpoints.list().data[0].to_dict()


def test_an_endpoint_can_be_changed_disabled_and_deleted(
    stripe_client: stripe.StripeClient,
) -> None:
    endpoints = stripe_client.v1.webhook_endpoints
    made = endpoint(stripe_client, "http://product.test/hook")

    changed = endpoints.update(made.id, {"url": "http://product.test/new", "disabled": True})
    assert (changed.url, changed.status) == ("http://product.test/new", "disabled")
    endpoints.delete(made.id)

    assert endpoints.list().data == []
    with pytest.raises(stripe.InvalidRequestError):
        endpoints.retrieve(made.id)


def test_an_event_is_delivered_signed(
    stripe_client: stripe.StripeClient, sandbox: SandboxProcess
) -> None:
    with Receiver() as receiver:
        made = endpoint(stripe_client, receiver.url, ["customer.created"])
        customer = stripe_client.v1.customers.create({"email": "a@example.com"})
        eventually(lambda: sandbox.deliveries()["delivered"] == 1)

        event = receiver.received[0].verified(str(made.secret))

    assert event.type == "customer.created"
    assert event.data.object["id"] == customer.id
    assert event.pending_webhooks == 1
    assert stripe_client.v1.events.retrieve(event.id).pending_webhooks == 0


def test_another_secret_does_not_verify(
    stripe_client: stripe.StripeClient, sandbox: SandboxProcess
) -> None:
    with Receiver() as receiver:
        endpoint(stripe_client, receiver.url)
        stripe_client.v1.customers.create({})
        eventually(lambda: bool(receiver.received))
        sandbox.flush()

    with pytest.raises(stripe.SignatureVerificationError):
        receiver.received[0].verified("whsec_other")


def test_only_what_was_asked_for_is_delivered(
    stripe_client: stripe.StripeClient, sandbox: SandboxProcess
) -> None:
    with Receiver() as receiver:
        endpoint(stripe_client, receiver.url, ["customer.updated"])
        customer = stripe_client.v1.customers.create({})
        stripe_client.v1.customers.update(customer.id, {"name": "x"})
        sandbox.flush()

        assert [json.loads(each.payload)["type"] for each in receiver.received] == [
            "customer.updated"
        ]


def test_events_come_in_the_order_in_which_they_happened(
    shop: Shop, sandbox: SandboxProcess
) -> None:
    with Receiver() as receiver:
        endpoint(shop.client, receiver.url)
        customer = shop.customer()
        shop.subscribe(customer)
        sandbox.flush()

        received = [json.loads(each.payload)["type"] for each in receiver.received]

    assert received == shop.events()[-len(received) :]
    assert received[-1] == "checkout.session.completed"


def test_a_failed_delivery_is_tried_again_and_holds_up_no_other(
    stripe_client: stripe.StripeClient, sandbox: SandboxProcess
) -> None:
    with Receiver() as receiver:
        receiver.answers = [500]
        endpoint(stripe_client, receiver.url)
        for name in ("first", "second"):
            stripe_client.v1.customers.create({"name": name})
        eventually(lambda: sandbox.deliveries()["delivered"] == 2)

        names = [json.loads(each.payload)["data"]["object"]["name"] for each in receiver.received]

    assert names == ["first", "second", "first"]
    assert [each["attempts"] for each in sandbox.deliveries()["list"]] == [1, 2]


def test_a_receiver_that_is_not_there_leaves_the_delivery_pending(
    stripe_client: stripe.StripeClient, sandbox: SandboxProcess
) -> None:
    with Receiver() as receiver:
        url = receiver.url
    endpoint(stripe_client, url)
    stripe_client.v1.customers.create({})

    eventually(lambda: bool(sandbox.deliveries()["list"][0]["last_error"]))

    found = sandbox.deliveries()
    assert (found["pending"], found["delivered"]) == (1, 0)
    assert "refused" in found["list"][0]["last_error"]
