"""The rows of webhook deliveries: durable, so that a restart of the sandbox loses none."""

import threading
import time
from dataclasses import dataclass

from sandbox.database import database
from sandbox.kinds import JSON
from sandbox.weather import FAIR, Strike

STATES = ("pending", "delivered", "failed", "dropped")
MOST_ATTEMPTS = 12
LONGEST_WAIT = 6 * 3600.0
# Seconds that a delivery is held back for what may follow it, and that the event comes after the
# nonsense sent in its place.
HELD_FOR = 1.0
AFTER_NONSENSE = 0.2

# Set whenever there is something new to deliver; the courier sleeps on it.
wake = threading.Event()


@dataclass(frozen=True)
class Delivery:
    seq: int
    event: str
    endpoint: str
    attempts: int
    nonsense: str | None


def wait_after(attempts: int) -> float:
    """Return how many seconds to wait after so many failed attempts."""
    return min(2.0 ** (attempts - 1), LONGEST_WAIT)


def queue(event: str, endpoint: str, strike: Strike = FAIR) -> None:
    """Keep a delivery to be made, or the copies of it that the weather makes."""
    for _ in range(strike.copies):
        database.execute(
            "INSERT INTO deliveries"
            " (event, endpoint, state, next_attempt_at, weather, is_held, nonsense)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            event,
            endpoint,
            "dropped" if strike.is_dropped else "pending",
            time.time() + strike.delay + (HELD_FOR if strike.is_held else 0),
            str(strike),
            strike.is_held,
            strike.nonsense,
        )
    database.after_commit(wake.set)


DUE = """
SELECT * FROM deliveries
WHERE state = 'pending' AND (next_attempt_at <= ?1 OR (is_held AND endpoint IN
    (SELECT endpoint FROM deliveries WHERE state = 'pending' AND is_held
     AND next_attempt_at <= ?1)))
ORDER BY is_held, CASE WHEN is_held THEN -seq ELSE seq END
"""


def due(now: float) -> dict[str, list[Delivery]]:
    """Return what is due now for each endpoint: oldest first, then what was held, newest first."""
    lanes: dict[str, list[Delivery]] = {}
    for row in database.rows(DUE, now):
        delivery = Delivery(
            row["seq"], row["event"], row["endpoint"], row["attempts"], row["nonsense"]
        )
        lanes.setdefault(delivery.endpoint, []).append(delivery)
    return lanes


def release_held() -> bool:
    """Make what is held back due now, and say whether there was any."""
    with database.transaction():
        held = database.row("SELECT 1 FROM deliveries WHERE state='pending' AND is_held LIMIT 1")
        database.execute(
            "UPDATE deliveries SET next_attempt_at=? WHERE state='pending' AND is_held",
            time.time(),
        )
    wake.set()
    return held is not None


def are_untried() -> bool:
    """Say whether an event is still to be posted for the first time."""
    return (
        database.row("SELECT 1 FROM deliveries WHERE state='pending' AND attempts=0 LIMIT 1")
        is not None
    )


def next_attempt_at() -> float | None:
    row = database.row("SELECT MIN(next_attempt_at) AS at FROM deliveries WHERE state='pending'")
    return row["at"] if row else None


def is_pending(delivery: Delivery) -> bool:
    row = database.row("SELECT state FROM deliveries WHERE seq=?", delivery.seq)
    return row is not None and row["state"] == "pending"


def sent_nonsense(delivery: Delivery, status: int | None, error: str) -> None:
    """Let the event itself follow, whatever the nonsense was answered."""
    with database.transaction():
        database.execute(
            "UPDATE deliveries SET nonsense=NULL, is_held=0, last_status=?, last_error=?,"
            " next_attempt_at=? WHERE seq=?",
            status,
            error,
            time.time() + AFTER_NONSENSE,
            delivery.seq,
        )


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
            "UPDATE deliveries SET state=?, attempts=?, last_status=?, last_error=?, is_held=0,"
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
    """Count the endpoints that have yet to take an event, however often it is posted to them."""
    row = database.row(
        "SELECT COUNT(DISTINCT endpoint) AS count FROM deliveries"
        " WHERE event=?1 AND endpoint NOT IN"
        " (SELECT endpoint FROM deliveries WHERE event=?1 AND state='delivered')",
        event,
    )
    return int(row["count"]) if row else 0


def counts(states: tuple[str, ...] = STATES) -> dict[str, int]:
    """Count the deliveries in some states. Those delivered grow for ever, so not each page asks."""
    found = dict.fromkeys(states, 0)
    marks = ", ".join("?" * len(states))
    for row in database.rows(
        f"SELECT state, COUNT(*) AS count FROM deliveries WHERE state IN ({marks}) GROUP BY state",
        *states,
    ):
        found[row["state"]] = row["count"]
    return found


def latest(limit: int, *, before: int | None = None, event: str | None = None) -> list[JSON]:
    """List the newest deliveries, or those before one or of one event, with the events' types."""
    rows = database.rows(
        "SELECT deliveries.*, json_extract(objects.data, '$.type') AS type FROM deliveries"
        " LEFT JOIN objects ON objects.id = deliveries.event"
        " WHERE (?1 IS NULL OR deliveries.seq < ?1) AND (?2 IS NULL OR deliveries.event = ?2)"
        " ORDER BY deliveries.seq DESC LIMIT ?3",
        before,
        event,
        limit,
    )
    return [dict(row) for row in rows]


def send_again(seq: int) -> bool:
    """Queue an event once more for the same endpoint; say whether both are still there."""
    row = database.row(
        "SELECT event, endpoint FROM deliveries JOIN objects ON objects.id = deliveries.endpoint"
        " WHERE deliveries.seq=? AND NOT objects.is_deleted",
        seq,
    )
    if row is None:
        return False
    queue(row["event"], row["endpoint"])
    return True
