"""The sandbox's own controls: reset, weather, the log of calls, settings."""

import sqlite3
import subprocess
import sys
import urllib.error
from pathlib import Path

import pytest
import stripe

from tests.sandbox_process import CHECKOUT, SandboxProcess

pytestmark = pytest.mark.process


def client(sandbox: SandboxProcess, retries: int = 0) -> stripe.StripeClient:
    return stripe.StripeClient(
        "sk_test_sandbox", base_addresses={"api": sandbox.url}, max_network_retries=retries
    )


def test_reset_forgets_everything(sandbox: SandboxProcess) -> None:
    client(sandbox).v1.customers.create({})
    sandbox.weather([{"path": "/v1/*", "status": 500}])
    sandbox.settings(dunning_end="unpaid")

    sandbox.reset()

    assert client(sandbox).v1.customers.list().data == []
    assert sandbox.settings() == {"dunning_end": "cancel"}
    assert len(sandbox.requests()) == 1


def test_reset_goes_back_to_what_was_kept(sandbox: SandboxProcess) -> None:
    customers = client(sandbox).v1.customers
    before = customers.create({})
    sandbox.settings(dunning_end="unpaid")
    sandbox.keep("before")
    after = customers.create({})
    sandbox.settings(dunning_end="cancel")
    sandbox.weather([{"path": "/v1/*", "status": 500}])

    for _ in range(2):
        sandbox.reset(to="before")
        assert [each.id for each in customers.list().data] == [before.id]
        assert sandbox.settings() == {"dunning_end": "unpaid"}
        assert customers.create({}).id != after.id

    with pytest.raises(urllib.error.HTTPError):
        sandbox.reset(to="what was never kept")
    assert len(customers.list().data) == 2


@pytest.mark.parametrize(("status", "kind"), [(500, stripe.APIError), (429, stripe.RateLimitError)])
def test_weather_answers_with_errors_and_passes(
    sandbox: SandboxProcess, status: int, kind: type[stripe.StripeError]
) -> None:
    sandbox.weather([{"path": "/v1/customers", "method": "POST", "status": status, "times": 1}])
    customers = client(sandbox).v1.customers

    with pytest.raises(kind):
        customers.create({})

    assert customers.list().data == []
    assert customers.create({}).id


def test_weather_after_the_effect_loses_only_the_answer(sandbox: SandboxProcess) -> None:
    sandbox.weather(
        [{"path": "/v1/customers", "method": "POST", "status": 500, "after_effect": True}]
    )
    customers = client(sandbox).v1.customers

    with pytest.raises(stripe.APIError):
        customers.create({})

    assert len(customers.list().data) == 1


def test_a_dropped_connection_is_a_connection_error(sandbox: SandboxProcess) -> None:
    sandbox.weather([{"path": "/v1/customers", "drop": True, "times": 1}])
    customers = client(sandbox).v1.customers

    with pytest.raises(stripe.APIConnectionError):
        customers.create({})

    assert customers.list().data == []
    assert sandbox.requests()[0]["status"] is None


def test_a_retry_after_a_lost_answer_makes_nothing_twice(sandbox: SandboxProcess) -> None:
    sandbox.weather([{"path": "/v1/customers", "drop": True, "after_effect": True, "times": 1}])
    customers = client(sandbox, retries=2).v1.customers

    made = customers.create({})

    assert [customer.id for customer in customers.list().data] == [made.id]


def test_a_slow_answer_is_slower_than_the_callers_patience(sandbox: SandboxProcess) -> None:
    sandbox.weather([{"path": "/v1/*", "delay_ms": 400}])
    impatient = stripe.StripeClient(
        "sk_test_sandbox",
        base_addresses={"api": sandbox.url},
        http_client=stripe.RequestsClient(timeout=0.1),
        max_network_retries=0,
    )

    with pytest.raises(stripe.APIConnectionError):
        impatient.v1.customers.list()


def test_a_rule_that_cannot_be_read_is_refused(sandbox: SandboxProcess) -> None:
    with pytest.raises(urllib.error.HTTPError) as raised:
        sandbox.weather([{"path": "/v1/*", "storm": True}])

    with raised.value as error:
        assert error.code == 400


def test_the_log_tells_who_asked_what_without_secrets(sandbox: SandboxProcess) -> None:
    client(sandbox).v1.payment_methods.create(
        {
            "type": "card",
            "card": {"number": "4242424242424242", "exp_month": 8, "exp_year": 2035, "cvc": "314"},
        },
        {"idempotency_key": "k1"},
    )

    (call,) = sandbox.requests()

    assert (call["method"], call["path"], call["status"]) == ("POST", "/v1/payment_methods", 200)
    assert call["idempotency_key"] == "k1"
    assert call["params"]["card"]["exp_month"] == "8"
    assert "4242" not in str(call)
    assert "314" not in str(call)


def test_the_file_outlives_the_process(tmp_path: Path) -> None:
    file = tmp_path / "kept.sqlite3"
    with SandboxProcess(database=file) as first:
        made = client(first).v1.customers.create({})
    with SandboxProcess(database=file) as second:
        assert client(second).v1.customers.retrieve(made.id).id == made.id


def test_a_file_of_another_shape_is_made_anew(tmp_path: Path) -> None:
    file = tmp_path / "old.sqlite3"
    with sqlite3.connect(file) as connection:
        connection.executescript("CREATE TABLE objects (other TEXT); PRAGMA user_version = 999;")
    connection.close()

    with SandboxProcess(database=file) as process:
        assert client(process).v1.customers.list().data == []


def test_a_busy_port_is_one_clear_sentence(sandbox: SandboxProcess) -> None:
    port = sandbox.url.rpartition(":")[2]

    ended = subprocess.run(
        [sys.executable, str(CHECKOUT / "manage.py"), "sandbox", "--port", port],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )

    assert ended.returncode == 1
    assert f"The sandbox cannot listen on port {port}" in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1


def test_it_stops_cleanly_when_told_to(tmp_path: Path) -> None:
    process = SandboxProcess(database=tmp_path / "brief.sqlite3")
    process.start()

    assert process.stop() == 0
