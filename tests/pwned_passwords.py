"""Have I Been Pwned's range API as a server on this machine, for this project's tests."""

from __future__ import annotations

import gzip
import hashlib
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

RANGE = "/range/"
CHARACTERS_TOLD = 5
PADDING_ROWS = 800


def digest_of(password: str) -> str:
    return hashlib.sha1(password.encode()).hexdigest().upper()


class PwnedPasswords:
    """Used as a context manager. Keeps what it is asked, in `asked`: each a request as it came.

    `padding` are passwords whose rows count nothing. A test that sets `misbehave` has it answer
    instead; what waits there for `over` is let go when the block ends.
    """

    def __init__(self, *breached: str, padding: tuple[str, ...] = ()) -> None:
        self.breached = breached
        self.padding = padding
        self.asked: list[str] = []
        self.misbehave: Callable[[BaseHTTPRequestHandler], None] | None = None
        self.over = threading.Event()
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                service.asked.append(f"{self.requestline}\n{self.headers}")
                if service.misbehave is not None:
                    service.misbehave(self)
                    return
                assert self.headers["Add-Padding"] == "true"
                body = gzip.compress(service.rows(self.path.removeprefix(RANGE)).encode())
                self.send_response(200)
                self.send_header("Content-Type", "text/plain")
                self.send_header("Content-Encoding", "gzip")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_CONNECT(self) -> None:
                """As a proxy: nobody gets out."""
                service.asked.append(self.requestline)
                self.send_error(502)

            def log_message(self, format: str, *args: Any) -> None:
                """Nobody reads a test's access log."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        self.url = self.address + RANGE

    def rows(self, beginning: str) -> str:
        """The ends of all digests that begin so, with their counts; the rest is padding."""
        counts = {digest_of(f"somebody's {n}")[CHARACTERS_TOLD:]: n for n in range(1, 20)}
        counts |= {digest_of(f"nobody's {n}")[CHARACTERS_TOLD:]: 0 for n in range(PADDING_ROWS)}
        for count, passwords in ((0, self.padding), (52_579, self.breached)):
            for digest in map(digest_of, passwords):
                if digest.startswith(beginning):
                    counts[digest[CHARACTERS_TOLD:]] = count
        return "\r\n".join(f"{end}:{count}" for end, count in sorted(counts.items()))

    def validators(self, *, seconds: float = 20) -> list[dict[str, Any]]:
        """The setting AUTH_PASSWORD_VALIDATORS of a product that asks this service alone."""
        return [
            {
                "NAME": "accounts.passwords.BreachedPasswordValidator",
                "OPTIONS": {"url": self.url, "seconds": seconds},
            }
        ]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *details: object) -> None:
        self.over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
