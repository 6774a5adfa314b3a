"""A webhook receiver that keeps what it is sent and answers as it is told."""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import stripe

PATIENCE = 10.0


@dataclass(frozen=True)
class Received:
    payload: bytes
    signature: str

    def verified(self, secret: str) -> stripe.Event:
        return stripe.Webhook.construct_event(  # type: ignore[no-any-return]
            self.payload, self.signature, secret
        )


class Receiver:
    """Used as a context manager. `answers` are given in turn; after the last one it is 200.

    With a `meeting`, nobody is answered before all whom it expects are there at once.
    """

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.answers: list[int] = []
        self.meeting: threading.Barrier | None = None
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                payload = self.rfile.read(int(self.headers["Content-Length"]))
                signature = self.headers["Stripe-Signature"]
                receiver.received.append(Received(payload, signature))
                if receiver.meeting is not None:
                    receiver.meeting.wait(PATIENCE)
                self.send_response(receiver.answers.pop(0) if receiver.answers else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Nobody reads a test's access log."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook?from=stripe"

    def __enter__(self) -> "Receiver":
        self._thread.start()
        return self

    def names(self) -> list[str]:
        """Name the customers of the events received, in the order in which they came."""
        return [json.loads(each.payload)["data"]["object"]["name"] for each in self.received]

    def __exit__(self, *details: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def eventually(condition: Callable[[], bool]) -> None:
    """Look until a condition holds, or fail after a while."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "It did not happen in time."
        time.sleep(0.01)
