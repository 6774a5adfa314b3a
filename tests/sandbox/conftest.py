"""One sandbox for a test worker, emptied before each test; every answer is held to Stripe's."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import stripe

from tests.sandbox import raw
from tests.sandbox.schemas import validate
from tests.sandbox.world import Shop, open_shop
from tests.sandbox_process import SandboxProcess


class ValidatingClient(stripe.HTTPClient):
    """The SDK's own client, except that no answer passes that Stripe's description excludes."""

    name = "validating"

    def __init__(self) -> None:
        super().__init__()
        self._inner = stripe.new_default_http_client()

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        content, status, received = self._inner.request(method, url, headers, post_data)
        validate(json.loads(content))
        return content, status, received

    def close(self) -> None:
        self._inner.close()


@pytest.fixture(scope="session")
def sandbox_process() -> Iterator[SandboxProcess]:
    with SandboxProcess() as process:
        yield process


@pytest.fixture(scope="session")
def http_client() -> Iterator[ValidatingClient]:
    client = ValidatingClient()
    yield client
    client.close()


@pytest.fixture
def sandbox(sandbox_process: SandboxProcess) -> SandboxProcess:
    sandbox_process.reset()
    return sandbox_process


@pytest.fixture
def stripe_client(
    sandbox: SandboxProcess, http_client: ValidatingClient
) -> Iterator[stripe.StripeClient]:
    client = stripe.StripeClient(
        "sk_test_sandbox",
        base_addresses={"api": sandbox.url},
        http_client=http_client,
        max_network_retries=0,
    )
    yield client
    # Reading all events holds each of them, and the object in it, to Stripe's description.
    sandbox.weather([])
    for event in raw.events(sandbox.url):
        assert event["api_version"] == "2026-05-27.dahlia"


@pytest.fixture
def shop(stripe_client: stripe.StripeClient, sandbox: SandboxProcess) -> Shop:
    return open_shop(stripe_client, sandbox.url)
