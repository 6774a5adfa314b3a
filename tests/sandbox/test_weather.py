"""The weather on the way of webhooks: late, twice, never, out of order, and not even JSON."""

import json
import threading
import urllib.error
from typing import Any

import pytest
import stripe

from tests.sandbox.receiver import Receiver, eventually
from tests.sandbox.test_webhooks import endpoint
from tests.sandbox.world import Shop
from tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.process


def make_customers(client: stripe.StripeClient, *names: str) -> None:
    for name in names:
        client.v1.customers.create({"name": name})


def test_a_dropped_delivery_is_lost_for_good(
    stripe_client: stripe.StripeClient, sandbox: SandboxProcess
) -> None:
    sandbox.weather([{"event": "customer.created", "drop": True, "times": 1}])
    with Receiver() as receiver:
        endpoint(stripe_client, receiver.url)
        make_customers(stripe_client, "lost", "found")

        assert sandbox.flush()["flushed"] is True

        assert receiver.names() == ["found"]
    found = sandbox.deliveries()
    assert (found["dropped"], found["delivered"], found["pending"]) == (1, 1, 0)
    assert stripe_client.v1.events.list().data[1].pending_webhooks == 1


def test_copies_of_an_event_arrive_at_the_same_moment(
    stripe_client: stripe.StripeClient, sandbox: SandboxProcess
) -> None:
    sandbox.weather([{"event": "customer.*", "duplicate": 7}])
    with Receiver() as receiver:
        receiver.meeting = threading.Barrier(8)
        endpoint(stripe_client, receiver.url)
        make_customers(stripe_client, "many")

        assert sandbox.flush()["delivered"] == 8

        assert receiver.names() == ["many"] * 8
    assert stripe_client.v1.events.list().data[0].pending_webhooks == 0


@pytest.mark.parametrize("late", [{"delay_ms": 300}, {"reorder": True}], ids=str)
def test_what_is_late_is_overtaken_and_waited_for(
    shop: Shop, sandbox: SandboxProcess, late: dict[str, Any]
) -> None:
    customer = shop.payer()
    with Receiver() as receiver:
        endpoint(shop.client, receiver.url)
        sandbox.weather([{"event": "customer.subscription.created", **late}])
        shop.begin(customer)

        assert sandbox.flush()["flushed"] is True

        types = [json.loads(each.payload)["type"] for each in receiver.received]
    first, *rest = shop.events()[-len(types) :]
    assert first == "customer.subscription.created"
    assert types == [*rest, first]


def test_a_whole_story_can_come_backwards(shop: Shop, sandbox: SandboxProcess) -> None:
    customer = shop.customer()
    with Receiver() as receiver:
        endpoint(shop.client, receiver.url)
        sandbox.weather([{"event": "*", "reorder": True}])
        shop.subscribe(customer)

        sandbox.flush()

        types = [json.loads(each.payload)["type"] for each in receiver.received]
    story = shop.events()[-len(types) :]
    assert story[-1] == "checkout.session.completed"
    assert sorted(types) == sorted(story)
    assert types.index("customer.subscription.updated") < types.index(
        "customer.subscription.created"
    )


def test_what_is_held_back_comes_by_itself_if_nothing_follows(
    stripe_client: stripe.StripeClient, sandbox: SandboxProcess
) -> None:
    sandbox.weather([{"event": "*", "reorder": True}])
    with Receiver() as receiver:
        endpoint(stripe_client, receiver.url)
        make_customers(stripe_client, "alone")
        assert sandbox.deliveries()["pending"] == 1

        eventually(lambda: sandbox.deliveries()["delivered"] == 1)

        assert receiver.names() == ["alone"]


def is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except ValueError:
        return False
    return True


NONSENSE: dict[str, Any] = {
    "truncated": lambda body: not is_json(body),
    "list": lambda body: isinstance(json.loads(body), list),
    "null_data": lambda body: json.loads(body)["data"] is None,
    "text_object": lambda body: json.loads(body)["data"]["object"].startswith("cus_"),
    "old_version": lambda body: json.loads(body)["api_version"] == "2013-02-11",
    "nul": lambda body: "\0" in json.loads(body)["data"]["object"]["metadata"]["nul"],
}


@pytest.mark.parametrize("answer", [400, 200])
@pytest.mark.parametrize("kind", NONSENSE)
def test_nonsense_is_signed_and_the_event_follows(
    stripe_client: stripe.StripeClient, sandbox: SandboxProcess, kind: str, answer: int
) -> None:
    sandbox.weather([{"event": "customer.created", "nonsense": kind, "times": 1}])
    with Receiver() as receiver:
        receiver.answers = [answer]
        made = endpoint(stripe_client, receiver.url)
        make_customers(stripe_client, "sound")

        assert sandbox.flush()["delivered"] == 1

        garbled, event = receiver.received
    assert NONSENSE[kind](garbled.payload)
    stripe.WebhookSignature.verify_header(
        garbled.payload.decode(), garbled.signature, str(made.secret), 300
    )
    assert event.verified(str(made.secret)).data.object["name"] == "sound"


def test_nonsense_without_a_name_is_each_kind_in_turn(
    stripe_client: stripe.StripeClient, sandbox: SandboxProcess
) -> None:
    sandbox.weather([{"event": "customer.created", "nonsense": True}])
    with Receiver() as receiver:
        endpoint(stripe_client, receiver.url)
        make_customers(stripe_client, *NONSENSE)
        sandbox.flush()

        assert len(receiver.received) == 2 * len(NONSENSE)
    told = [each["weather"] for each in sandbox.deliveries()["list"]]
    assert told[::-1] == [f"nonsense first ({kind})" for kind in NONSENSE]


def test_weather_for_one_event_leaves_the_others_alone(
    stripe_client: stripe.StripeClient, sandbox: SandboxProcess
) -> None:
    sandbox.weather([{"event": "customer.subscription.*", "drop": True}])
    with Receiver() as receiver:
        endpoint(stripe_client, receiver.url)
        make_customers(stripe_client, "dry")
        sandbox.flush()

        assert receiver.names() == ["dry"]


@pytest.mark.parametrize("is_late", [False, True])
def test_an_answer_can_be_a_page_instead_of_json(sandbox: SandboxProcess, is_late: bool) -> None:
    sandbox.weather(
        [{"path": "/v1/customers", "nonsense": True, "after_effect": is_late, "times": 1}]
    )
    client = stripe.StripeClient(
        "sk_test_sandbox", base_addresses={"api": sandbox.url}, max_network_retries=0
    )

    with pytest.raises(stripe.APIError, match="Invalid response body from API: <!doctype html>"):
        client.v1.customers.create({})

    assert len(client.v1.customers.list().data) == int(is_late)


@pytest.mark.parametrize(
    "rule",
    [
        {"times": 1},
        {"path": "*", "event": "*"},
        {"event": "*", "status": 500},
        {"path": "*", "duplicate": 1},
        {"path": "*", "nonsense": "list"},
        {"event": "*", "nonsense": "rhubarb"},
        {"event": "*", "duplicate": -1},
        {"event": "*", "delay_ms": "long"},
        {"event": "*", "drop": 1},
        {"event": None},
    ],
    ids=str,
)
def test_a_rule_that_makes_no_sense_is_refused(
    sandbox: SandboxProcess, rule: dict[str, Any]
) -> None:
    with pytest.raises(urllib.error.HTTPError) as raised:
        sandbox.weather([rule])

    with raised.value as error:
        assert error.code == 400
    assert sandbox.control("weather")["rules"] == []


def test_the_rules_in_force_can_be_read_and_sent_again(sandbox: SandboxProcess) -> None:
    sandbox.weather([{"path": "/v1/*", "status": 500}, {"event": "*", "duplicate": 2}])
    rules = sandbox.control("weather")["rules"]

    sandbox.weather(rules)

    assert sandbox.control("weather")["rules"] == rules
    assert rules[1]["duplicate"] == 2
