"""Stripe's error shapes, and the classes that its SDK makes of them."""

import base64
import urllib.error
import urllib.request

import pytest
import stripe

from tests.sandbox import raw
from tests.sandbox.world import Shop
from tests.sandbox_process import SandboxProcess, opener

pytestmark = pytest.mark.process


def test_an_unknown_parameter_is_named(sandbox: SandboxProcess) -> None:
    answer = raw.call(f"{sandbox.url}/v1/customers", "emial=x&address[planet]=Mars")

    assert answer.status == 400
    assert answer.body["error"]["code"] == "parameter_unknown"
    assert answer.body["error"]["param"] == "emial"


def test_an_unknown_inner_parameter_is_named_with_its_path(sandbox: SandboxProcess) -> None:
    answer = raw.call(f"{sandbox.url}/v1/customers", "address[planet]=Mars")

    assert answer.body["error"]["param"] == "address[planet]"


def test_a_missing_parameter_is_named(sandbox: SandboxProcess) -> None:
    answer = raw.call(f"{sandbox.url}/v1/checkout/sessions", "mode=subscription")

    assert answer.status == 400
    assert answer.body["error"]["code"] == "parameter_missing"
    assert answer.body["error"]["param"] == "line_items"


@pytest.mark.parametrize(
    "body",
    [
        "limit=many",
        "limit=0",
        "limit=101",
        "created[gte]=yesterday",
        "expand=data",
        "starting_after=cus_gone",
    ],
)
def test_a_wrong_value_is_refused(sandbox: SandboxProcess, body: str) -> None:
    answer = raw.call(f"{sandbox.url}/v1/customers?{body}")

    assert answer.status == 400
    assert answer.body["error"]["type"] == "invalid_request_error"


def test_an_empty_value_that_cannot_be_cleared_is_refused(sandbox: SandboxProcess) -> None:
    answer = raw.call(f"{sandbox.url}/v1/products", "name=")

    assert answer.body["error"]["code"] == "parameter_invalid_empty"


def test_metadata_has_stripes_limits(sandbox: SandboxProcess) -> None:
    answer = raw.call(f"{sandbox.url}/v1/customers", f"metadata[{'k' * 41}]=v")

    assert answer.status == 400


def test_an_unknown_id_is_404_in_the_address_and_400_in_a_parameter(shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError) as raised:
        shop.client.v1.subscriptions.retrieve("sub_gone")
    assert (raised.value.http_status, raised.value.code) == (404, "resource_missing")

    with pytest.raises(stripe.InvalidRequestError) as raised:
        shop.checkout("cus_gone")
    assert (raised.value.http_status, raised.value.param) == (400, "customer")


@pytest.mark.parametrize(("method", "path"), [("PUT", "/v1/customers"), ("GET", "/v1/nonsense")])
def test_an_unknown_address_or_method_is_404(
    sandbox: SandboxProcess, method: str, path: str
) -> None:
    answer = raw.call(f"{sandbox.url}{path}", method=method)

    assert answer.status == 404
    assert f"Unrecognized request URL ({method}: {path})" in answer.body["error"]["message"]


@pytest.mark.parametrize("given", ["", "Bearer sk_live_123456789", "Bearer nonsense", "Basic ?"])
def test_a_wrong_key_is_refused(sandbox: SandboxProcess, given: str) -> None:
    answer = raw.call(f"{sandbox.url}/v1/customers", headers={"Authorization": given})

    assert answer.status == 401
    assert "123456789" not in str(answer.body)


def test_the_sdk_knows_a_wrong_key(sandbox: SandboxProcess) -> None:
    client = stripe.StripeClient("sk_live_x", base_addresses={"api": sandbox.url})

    with pytest.raises(stripe.AuthenticationError):
        client.v1.customers.list()


def test_the_key_may_come_as_basic_auth(sandbox: SandboxProcess) -> None:
    given = base64.b64encode(b"sk_test_anything:").decode()

    answer = raw.call(f"{sandbox.url}/v1/customers", headers={"Authorization": f"Basic {given}"})

    assert answer.status == 200


def test_another_hosts_name_is_refused(sandbox: SandboxProcess) -> None:
    request = urllib.request.Request(f"{sandbox.url}/", headers={"Host": "evil.example"})

    with pytest.raises(urllib.error.HTTPError) as raised:
        opener.open(request, timeout=10)

    with raised.value as error:
        assert error.code == 400


def test_every_answer_has_a_request_id(sandbox: SandboxProcess) -> None:
    for path in ("/v1/customers", "/v1/nonsense"):
        assert raw.call(f"{sandbox.url}{path}").headers["Request-Id"].startswith("req_")


@pytest.mark.parametrize(
    "path", ["no_such_thing", "default_source.a.b.c.d", "invoice_settings.nothing"]
)
def test_what_cannot_be_expanded_is_refused(shop: Shop, path: str) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="expand"):
        shop.client.v1.customers.retrieve(shop.customer(), {"expand": [path]})
