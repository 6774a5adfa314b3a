"""What the client of Stripe's SDK does with an answer that is none of Stripe's."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pytest_django import Settings

from billing import gateway


class _Redirecting(BaseHTTPRequestHandler):
    """Leads everywhere else, and keeps what it was asked for."""

    asked: list[tuple[str, str | None]]

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers["Authorization"]))
        self.send_response(307)
        self.send_header("Location", f"http://{self.headers['Host']}/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_GET

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def redirecting(settings: Settings) -> Iterator[list[tuple[str, str | None]]]:
    """A host in Stripe's place; what it was asked for."""
    _Redirecting.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Redirecting)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.STRIPE_API_HOST = f"http://127.0.0.1:{server.server_port}"
    settings.STRIPE_SECRET_KEY = "sk_test_redirected"
    settings.STRIPE_MAX_NETWORK_RETRIES = 0
    yield _Redirecting.asked
    server.shutdown()
    server.server_close()


def test_a_redirect_is_not_followed_and_the_key_goes_no_further(
    redirecting: list[tuple[str, str | None]],
) -> None:
    with pytest.raises(gateway.BillingUnavailable) as refusal:
        gateway.retrieve_customer("cus_1")
    assert refusal.value.is_outage
    assert redirecting == [("/v1/customers/cus_1", "Bearer sk_test_redirected")]
