"""The log of API calls, for tests and for the index page. Secrets are left out."""

import json

from sandbox.database import database
from sandbox.encoding import Raw
from sandbox.kinds import JSON

# A demo runs for weeks; the log keeps the newest lines only.
KEPT = 10_000
SECRETS = ("number", "cvc")


def record(method: str, path: str, key: str | None, raw: dict[str, Raw]) -> int:
    """Log a call as it comes in and return the number of its line."""
    with database.transaction():
        number = database.execute(
            "INSERT INTO calls (method, path, idempotency_key, params) VALUES (?, ?, ?, ?)",
            method,
            path,
            key,
            json.dumps(_without_secrets(raw)),
        )
        database.execute("DELETE FROM calls WHERE seq <= ?", number - KEPT)
    return number


def answered(number: int, status: int | None) -> None:
    """Note what a call was answered; None: the connection was dropped."""
    with database.transaction():
        database.execute("UPDATE calls SET status=? WHERE seq=?", status, number)


def everything() -> list[JSON]:
    """List all calls since the last reset, oldest first."""
    return [
        {
            "method": row["method"],
            "path": row["path"],
            "status": row["status"],
            "idempotency_key": row["idempotency_key"],
            "params": json.loads(row["params"]),
        }
        for row in database.rows("SELECT * FROM calls ORDER BY seq")
    ]


def _without_secrets(value: Raw) -> Raw:
    if isinstance(value, dict):
        return {
            key: "[left out]" if key in SECRETS else _without_secrets(child)
            for key, child in value.items()
        }
    if isinstance(value, list):
        return [_without_secrets(child) for child in value]
    return value
