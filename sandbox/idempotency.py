"""Idempotency keys: the same key gives the same answer, and has its effect once."""

import hashlib
import json
import time
from dataclasses import dataclass

from sandbox.database import database
from sandbox.encoding import Raw
from sandbox.errors import StripeError
from sandbox.kinds import JSON


@dataclass(frozen=True)
class Answer:
    status: int
    body: JSON
    is_replay: bool = False


# Stripe forgets a key after a day of real time.
REMEMBERED = 86_400.0


def fingerprint(method: str, path: str, raw: dict[str, Raw]) -> str:
    text = json.dumps([method, path, raw], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def recall(key: str, digest: str) -> Answer | None:
    """Return the answer that was given to this key before.

    Raises Stripe's idempotency_error if the key was used with other parameters.
    """
    database.execute("DELETE FROM idempotency WHERE created < ?", time.time() - REMEMBERED)
    row = database.row("SELECT * FROM idempotency WHERE key=?", key)
    if row is None:
        return None
    if row["fingerprint"] != digest:
        raise StripeError(
            400,
            "Keys for idempotent requests can only be used with the same parameters they were "
            f"first used with. Try using a key other than '{key}' if you meant to execute a "
            "different request.",
            kind="idempotency_error",
        )
    return Answer(row["status"], json.loads(row["body"]), is_replay=True)


def remember(key: str, digest: str, answer: Answer) -> None:
    database.execute(
        "INSERT OR IGNORE INTO idempotency (key, fingerprint, created, status, body)"
        " VALUES (?, ?, ?, ?, ?)",
        key,
        digest,
        time.time(),
        answer.status,
        json.dumps(answer.body),
    )
