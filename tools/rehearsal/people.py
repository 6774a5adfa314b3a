"""Light load: a member who looks around, an owner who changes something, and changes at Stripe."""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from itertools import count
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode

from config.browser import Browser, FormNotFound
from config.stage import DIRECT, SANDBOX_KEY

NO_ANSWER = "no answer"
LOGGED_OUT = "logged out"
# Each name is another, or there would be nothing to log.
NUMBERS = count(1)


@dataclass
class Seen:
    """What one person saw: how often what, and how long the slowest took, in seconds."""

    outcomes: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0

    def note(self, outcome: str, seconds: float) -> None:
        self.outcomes[outcome] += 1
        self.slowest = max(self.slowest, seconds)

    def told(self) -> str:
        counted = ", ".join(f"{times} {what}" for what, times in self.outcomes.most_common())
        return f"{counted}; slowest {self.slowest:.1f} s"


class Member:
    """Opens the team's page, again and again."""

    def __init__(self, browser: Browser, url: str) -> None:
        self._browser = browser
        self._url = url
        self.seen = Seen()

    def act(self) -> None:
        self.seen.note(*timed(self._look))

    def _look(self) -> str:
        page = self._browser.open(f"{self._url}/team/")
        return LOGGED_OUT if "/accounts/login/" in page.url else str(page.status)


class Owner:
    """Gives the organization another name each time, and remembers which were confirmed."""

    def __init__(self, browser: Browser, url: str) -> None:
        self._browser = browser
        self._url = url
        self.seen = Seen()
        self.confirmed: list[str] = []
        # Sent, and no answer came: it may have been written, or not.
        self.unknown: list[str] = []

    def act(self) -> None:
        self.seen.note(*timed(self._rename))

    def _rename(self) -> str:
        page = self._browser.open(f"{self._url}/organization/")
        if "/accounts/login/" in page.url:
            return LOGGED_OUT
        if page.status != 200:
            return str(page.status)
        name = f"Acme {next(NUMBERS)}"
        self.unknown.append(name)
        page = self._browser.submit("/organization/details/", name=name)
        if page.status == 200 and "The details are saved." in page.text:
            self.confirmed.append(self.unknown.pop())
            return "saved"
        return str(page.status)


class Stripe:
    """Somebody who changes the subscription at Stripe; we hear of it by events."""

    def __init__(self, sandbox_url: str, subscription: str) -> None:
        self._sandbox_url = sandbox_url
        self._subscription = subscription
        self.changes = 0

    def act(self) -> None:
        """Have the plan end with its period, and next time go on."""
        self.changes += 1
        is_ending = str(self.changes % 2 == 1).lower()
        path = f"/v1/subscriptions/{self._subscription}"
        # The weather is theirs too.
        with suppress(HTTPError, ValueError):
            self.call(path, cancel_at_period_end=is_ending)

    def weather(self, *rules: dict[str, Any]) -> None:
        """Replace the stand-in's weather; no rules clear it."""
        body = json.dumps({"rules": rules}).encode()
        headers = {"Content-Type": "application/json"}
        url = f"{self._sandbox_url}/_sandbox/weather"
        with DIRECT.open(urllib.request.Request(url, body, headers), timeout=60):
            pass

    def pending(self) -> int:
        """How many events have yet to be taken."""
        url = f"{self._sandbox_url}/_sandbox/deliveries"
        with DIRECT.open(url, timeout=60) as answer:
            return int(json.load(answer)["pending"])

    def call(self, path: str, **fields: str) -> Any:
        headers = {"Authorization": f"Bearer {SANDBOX_KEY}"}
        data = urlencode(fields).encode() if fields else None
        request = urllib.request.Request(self._sandbox_url + path, data, headers)
        with DIRECT.open(request, timeout=60) as answer:
            return json.load(answer)


def timed(act: Callable[[], str]) -> tuple[str, float]:
    began = time.monotonic()
    try:
        outcome = act()
    except (OSError, HTTPException, FormNotFound) as error:
        outcome = NO_ANSWER if not isinstance(error, FormNotFound) else "no form"
    return outcome, time.monotonic() - began


@contextmanager
def at_it(*each: tuple[Callable[[], None], float]) -> Iterator[None]:
    """Have everybody act, and again after so many seconds, until the block is left."""
    stopping = threading.Event()

    def go_on(act: Callable[[], None], pause: float) -> None:
        while not stopping.wait(pause):
            act()

    threads = [threading.Thread(target=go_on, args=one) for one in each]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopping.set()
        for thread in threads:
            thread.join()
