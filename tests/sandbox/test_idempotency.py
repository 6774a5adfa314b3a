"""Idempotency keys."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import stripe

from tests.sandbox import raw
from tests.sandbox.raw import Answer
from tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.process

KEY = {"Idempotency-Key": "6ba7b810"}


def create(sandbox: SandboxProcess, body: str = "email=a@example.com") -> Answer:
    return raw.call(f"{sandbox.url}/v1/customers", body, headers=KEY)


def count(client: stripe.StripeClient) -> int:
    return len(client.v1.customers.list().data)


def test_the_same_key_gives_the_same_answer_and_one_effect(
    sandbox: SandboxProcess, stripe_client: stripe.StripeClient
) -> None:
    first, second = create(sandbox), create(sandbox)

    assert second.body == first.body
    assert first.headers["Idempotent-Replayed"] is None
    assert second.headers["Idempotent-Replayed"] == "true"
    assert first.headers["Idempotency-Key"] == "6ba7b810"
    assert count(stripe_client) == 1


def test_the_same_key_with_another_body_is_an_error(
    sandbox: SandboxProcess, stripe_client: stripe.StripeClient
) -> None:
    create(sandbox)

    answer = create(sandbox, "email=b@example.com")

    assert answer.status == 400
    assert answer.body["error"]["type"] == "idempotency_error"
    with pytest.raises(stripe.IdempotencyError):
        stripe_client.v1.customers.create({"name": "x"}, {"idempotency_key": "6ba7b810"})


def test_concurrent_calls_with_one_key_have_one_effect(
    sandbox: SandboxProcess, stripe_client: stripe.StripeClient
) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: create(sandbox), range(8)))

    assert len({answer.body["id"] for answer in answers}) == 1
    assert count(stripe_client) == 1


def test_a_wrong_parameter_does_not_spend_the_key(
    sandbox: SandboxProcess, stripe_client: stripe.StripeClient
) -> None:
    assert create(sandbox, "emial=x").status == 400

    assert create(sandbox).status == 200


def test_an_error_of_the_work_itself_is_replayed(sandbox: SandboxProcess) -> None:
    url = f"{sandbox.url}/v1/subscriptions/sub_gone"

    first, second = (raw.call(url, "description=x", headers=KEY) for _ in range(2))

    assert first.status == second.status == 404
    assert second.headers["Idempotent-Replayed"] == "true"


def test_the_key_is_named_by_the_event(stripe_client: stripe.StripeClient) -> None:
    stripe_client.v1.customers.create({"name": "x"}, {"idempotency_key": "k1"})

    event = stripe_client.v1.events.list().data[0].to_dict()

    assert event["request"]["idempotency_key"] == "k1"
