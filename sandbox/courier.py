"""Carries events to their endpoints, signed, from a thread of its own."""

import hashlib
import hmac
import http.client
import json
import logging
import threading
import time
from itertools import groupby
from urllib.parse import urlsplit

from sandbox import deliveries, nonsense, records
from sandbox.deliveries import Delivery
from sandbox.kinds import JSON

logger = logging.getLogger("sandbox.courier")

TIMEOUT = 10.0
LONGEST_SLEEP = 5.0


def signature(secret: str, payload: bytes, moment: int) -> str:
    """Write Stripe's signature header. Receivers check it against real time."""
    digest = hmac.new(secret.encode(), f"{moment}.".encode() + payload, hashlib.sha256)
    return f"t={moment},v1={digest.hexdigest()}"


def post(url: str, payload: bytes, secret: str) -> int:
    """Send one event and return the status of the answer. No redirects."""
    parts = urlsplit(url)
    https = parts.scheme == "https"
    connect = http.client.HTTPSConnection if https else http.client.HTTPConnection
    connection = connect(parts.hostname or "", parts.port, timeout=TIMEOUT)
    target = parts.path or "/"
    if parts.query:
        target += f"?{parts.query}"
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        "Stripe-Signature": signature(secret, payload, int(time.time())),
    }
    try:
        connection.request("POST", target, payload, headers)
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()


class Courier:
    """One thread looks for what is due; each endpoint's deliveries go one after the other.

    A delivery that fails is put off and the next one goes, so one bad event holds up nobody.
    Copies of one event go at the same moment.
    """

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._busy: set[str] = set()
        self._idle = threading.Condition()
        self._is_held = False
        self._thread = threading.Thread(target=self._run, name="courier", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        deliveries.wake.set()

    def hold(self, timeout: float) -> None:
        """Start nothing more, and wait a while for what is under way."""
        with self._idle:
            self._is_held = True
            self._idle.wait_for(lambda: not self._busy, timeout)

    def is_idle(self) -> bool:
        with self._idle:
            return not self._busy

    def release(self) -> None:
        with self._idle:
            self._is_held = False
        deliveries.wake.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            deliveries.wake.clear()
            for endpoint, lane in deliveries.due(time.time()).items():
                self._dispatch(endpoint, lane)
            deliveries.wake.wait(self._sleep())

    def _sleep(self) -> float:
        moment = deliveries.next_attempt_at()
        with self._idle:
            if self._is_held or moment is None:
                return LONGEST_SLEEP
            # What is due may belong to an endpoint that is busy: look again, but not at once.
            least = 0.2 if self._busy else 0.0
        return min(max(moment - time.time(), least), LONGEST_SLEEP)

    def _dispatch(self, endpoint: str, lane: list[Delivery]) -> None:
        with self._idle:
            if self._is_held or endpoint in self._busy or self._stopping.is_set():
                return
            self._busy.add(endpoint)
        # A daemon: a receiver that hangs must not keep the sandbox from stopping.
        threading.Thread(target=self._carry, args=(endpoint, lane), daemon=True).start()

    def _carry(self, endpoint: str, lane: list[Delivery]) -> None:
        try:
            for _, copies in groupby(lane, key=lambda delivery: delivery.event):
                if self._stopping.is_set() or self._is_held:
                    return
                self._attempt_together(list(copies))
        except Exception:
            logger.exception("The courier stumbled over endpoint %s", endpoint)
        finally:
            with self._idle:
                self._busy.discard(endpoint)
                self._idle.notify_all()
            deliveries.wake.set()

    def _attempt_together(self, copies: list[Delivery]) -> None:
        threads = [
            threading.Thread(target=self._attempt, args=(copy,), daemon=True) for copy in copies[1:]
        ]
        for thread in threads:
            thread.start()
        self._attempt(copies[0])
        for thread in threads:
            thread.join()

    def _attempt(self, delivery: Delivery) -> None:
        endpoint = records.find(delivery.endpoint)
        event = records.find(delivery.event)
        if endpoint is None or event is None or not deliveries.is_pending(delivery):
            return
        status, error = None, ""
        try:
            body = _body(delivery, event.data)
            status = post(endpoint.data["url"], body, endpoint.hidden["secret"])
        except (OSError, http.client.HTTPException) as failure:
            error = f"{type(failure).__name__}: {failure}"
        if not self._stopping.is_set():
            # Once the file is closed, what was not noted is delivered again, as Stripe may too.
            _note(delivery, status, error)


def _body(delivery: Delivery, event: JSON) -> bytes:
    if delivery.nonsense is not None:
        return nonsense.BODIES[delivery.nonsense](event).encode()
    return json.dumps(event, indent=2).encode()


def _note(delivery: Delivery, status: int | None, error: str) -> None:
    error = error or f"answered {status}"
    if delivery.nonsense is not None:
        deliveries.sent_nonsense(delivery, status, f"{delivery.nonsense}: {error}")
    elif status is not None and 200 <= status < 300:
        deliveries.succeeded(delivery, status)
    else:
        deliveries.failed(delivery, status, error)


courier = Courier()
