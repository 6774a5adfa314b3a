"""The rows of webhook deliveries: durable, so that a restart of the sandbox loses none."""

import threading
import time
from dataclasses import dataclass

from sandbox.database import database
from sandbox.kinds import JSON

MOST_ATTEMPTS = 12
LONGEST_WAIT = 6 * 3600.0

# Set whenever there is something new to deliver; the courier sleeps on it.
wake = threading.Event()


@dataclass(frozen=True)
class Delivery:
    seq: int
    event: str
    endpoint: str
    attempts: int


def wait_after(attempts: int) -> float:
    """Return how many seconds to wait after so many failed attempts."""
    return min(2.0 ** (attempts - 1), LONGEST_WAIT)


def queue(event: str, endpoint: str) -> None:
    database.execute(
        "INSERT INTO deliveries (event, endpoint, next_attempt_at) VALUES (?, ?, ?)",
        event,
        endpoint,
        time.time(),
    )
    database.after_commit(wake.set)


def due(now: float) -> dict[str, list[Delivery]]:
    """Return what is due now, oldest first, for each endpoint."""
    lanes: dict[str, list[Delivery]] = {}
    for row in database.rows(
        "SELECT * FROM deliveries WHERE state='pending' AND next_attempt_at <= ? ORDER BY seq", now
    ):
        delivery = Delivery(row["seq"], row["event"], row["endpoint"], row["attempts"])
        lanes.setdefault(delivery.endpoint, []).append(delivery)
    return lanes


def next_attempt_at() -> float | None:
    row = database.row("SELECT MIN(next_attempt_at) AS at FROM deliveries WHERE state='pending'")
    return row["at"] if row else None


def is_pending(delivery: Delivery) -> bool:
    row = database.row("SELECT state FROM deliveries WHERE seq=?", delivery.seq)
    return row is not None and row["state"] == "pending"


def succeeded(delivery: Delivery, status: int) -> None:
    with database.transaction():
        database.execute(
            "UPDATE deliveries SET state='delivered', attempts=?, last_status=?, last_error=NULL"
            " WHERE seq=?",
            delivery.attempts + 1,
            status,
            delivery.seq,
        )


def failed(delivery: Delivery, status: int | None, error: str) -> None:
    """Put a delivery off, or give it up after the last attempt."""
    attempts = delivery.attempts + 1
    with database.transaction():
        database.execute(
            "UPDATE deliveries SET state=?, attempts=?, last_status=?, last_error=?,"
            " next_attempt_at=? WHERE seq=?",
            "failed" if attempts >= MOST_ATTEMPTS else "pending",
            attempts,
            status,
            error,
            time.time() + wait_after(attempts),
            delivery.seq,
        )


def abandon(endpoint: str) -> None:
    """Drop what is queued for an endpoint that is gone."""
    database.execute("DELETE FROM deliveries WHERE endpoint=? AND state='pending'", endpoint)


def pending_of(event: str) -> int:
    row = database.row(
        "SELECT COUNT(*) AS count FROM deliveries WHERE event=? AND state!='delivered'", event
    )
    return int(row["count"]) if row else 0


def counts() -> dict[str, int]:
    found = {"pending": 0, "delivered": 0, "failed": 0}
    for row in database.rows("SELECT state, COUNT(*) AS count FROM deliveries GROUP BY state"):
        found[row["state"]] = row["count"]
    return found


def latest(limit: int) -> list[JSON]:
    """List the newest deliveries, with the type of their events."""
    rows = database.rows(
        "SELECT deliveries.*, json_extract(objects.data, '$.type') AS type FROM deliveries"
        " LEFT JOIN objects ON objects.id = deliveries.event ORDER BY deliveries.seq DESC LIMIT ?",
        limit,
    )
    return [dict(row) for row in rows]
