"""A program that knows the database's address and nothing of Django: it attacks, and reports.

Reads {"driver", "address", "attacks": {name: [statement]}, "watched": [query]} as JSON. Each attack
is a transaction on a connection of its own. Writes {name: [how it ended, what it changed]}, where
"IntegrityError" is what it should have ended with.
"""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any


def main() -> None:
    order = json.load(sys.stdin)
    driver = importlib.import_module(order["driver"])
    answer = {
        name: attack(driver, order["address"], statements, order["watched"])
        for name, statements in order["attacks"].items()
    }
    assert not any(name.startswith("django") for name in sys.modules)
    json.dump(answer, sys.stdout)


def attack(driver: Any, address: str, statements: list[str], watched: list[str]) -> list[Any]:
    connection = connect(driver, address)
    before = look(connection, watched)
    try:
        connection.execute("BEGIN")
        for statement in statements:
            connection.execute(statement)
        connection.execute("COMMIT")
        ended = "committed"
    except driver.IntegrityError:
        ended = "IntegrityError"
    except driver.Error as error:
        ended = repr(error)
    connection.close()
    connection = connect(driver, address)
    after = look(connection, watched)
    connection.close()
    return [
        ended,
        [query for query, was, is_now in zip(watched, before, after, strict=True) if was != is_now],
    ]


def connect(driver: Any, address: str) -> Any:
    """Open a connection that leaves transactions to the statements."""
    if driver.__name__ == "sqlite3":
        connection = driver.connect(address, isolation_level=None, timeout=20)
        connection.execute("PRAGMA foreign_keys=ON")
        return connection
    return driver.connect(address, autocommit=True)


def look(connection: Any, watched: list[str]) -> list[Any]:
    return [connection.execute(query).fetchall() for query in watched]


if __name__ == "__main__":
    main()
