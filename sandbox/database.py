"""The sandbox's SQLite file: one connection, one lock, so that every change is serialized."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

# Raise it when TABLES change: files of another shape are thrown away.
SHAPE = 3

TABLES = """
CREATE TABLE objects (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    customer TEXT,
    clock TEXT,
    due_at INTEGER,
    is_deleted INTEGER NOT NULL DEFAULT 0,
    data TEXT NOT NULL,
    hidden TEXT NOT NULL
);
CREATE INDEX objects_kind ON objects (kind, seq);
CREATE INDEX objects_customer ON objects (customer, kind, seq);
CREATE INDEX objects_due ON objects (clock, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX objects_open ON objects (kind, seq) WHERE due_at IS NOT NULL;
CREATE TABLE deliveries (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    event TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending',
    attempts INTEGER NOT NULL DEFAULT 0,
    next_attempt_at REAL NOT NULL,
    last_status INTEGER,
    last_error TEXT,
    weather TEXT NOT NULL DEFAULT '',
    is_held INTEGER NOT NULL DEFAULT 0,
    nonsense TEXT
);
CREATE INDEX deliveries_due ON deliveries (state, next_attempt_at);
CREATE INDEX deliveries_event ON deliveries (event);
CREATE TABLE idempotency (
    key TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    created REAL NOT NULL,
    status INTEGER NOT NULL,
    body TEXT NOT NULL
);
CREATE TABLE calls (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    status INTEGER,
    idempotency_key TEXT,
    params TEXT NOT NULL
);
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""

TABLE_NAMES = ("objects", "deliveries", "idempotency", "calls", "settings")


class Database:
    """One connection shared by all threads under a lock.

    Reads take the lock as well: a page never sees half of a change, and SQLite never has to
    answer "database is locked".
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self._connection: sqlite3.Connection | None = None
        self._after_commit: list[Callable[[], None]] = []
        self._kept: dict[str, sqlite3.Connection] = {}

    def open(self, path: Path) -> None:
        """Open the file and make its tables, anew if they have another shape."""
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        if connection.execute("PRAGMA user_version").fetchone()[0] != SHAPE:
            for name in TABLE_NAMES:
                connection.execute(f"DROP TABLE IF EXISTS {name}")
            connection.executescript(TABLES)
            connection.execute(f"PRAGMA user_version={SHAPE}")
        self._connection = connection

    def close(self) -> None:
        with self._lock:
            for each in (self._connection, *self._kept.values()):
                if each is not None:
                    each.close()
            self._connection, self._kept = None, {}

    @property
    def connection(self) -> sqlite3.Connection:
        if self._connection is None:
            raise RuntimeError("The sandbox's database is not open.")
        return self._connection

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make everything inside it happen alone, and wholly or not at all."""
        with self._lock:
            if self._depth:
                yield
                return
            self.connection.execute("BEGIN IMMEDIATE")
            self._depth = 1
            try:
                yield
            except BaseException:
                self.connection.execute("ROLLBACK")
                self._after_commit.clear()
                raise
            else:
                self.connection.execute("COMMIT")
            finally:
                self._depth = 0
            callbacks, self._after_commit = self._after_commit, []
        for callback in callbacks:
            callback()

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo what happens inside it, and only that, if it raises."""
        with self.transaction():
            self.connection.execute("SAVEPOINT work")
            try:
                yield
            except BaseException:
                self.connection.execute("ROLLBACK TO work")
                raise
            finally:
                self.connection.execute("RELEASE work")

    def after_commit(self, callback: Callable[[], None]) -> None:
        if callback not in self._after_commit:
            self._after_commit.append(callback)

    def rows(self, sql: str, *values: object) -> list[sqlite3.Row]:
        with self._lock:
            return self.connection.execute(sql, values).fetchall()

    def row(self, sql: str, *values: object) -> sqlite3.Row | None:
        with self._lock:
            found: sqlite3.Row | None = self.connection.execute(sql, values).fetchone()
            return found

    def execute(self, sql: str, *values: object) -> int:
        """Run one statement and return the key of an inserted row."""
        with self._lock:
            return self.connection.execute(sql, values).lastrowid or 0

    def wipe(self) -> None:
        """Forget everything."""
        with self.transaction():
            for name in TABLE_NAMES:
                self.execute(f"DELETE FROM {name}")

    def keep(self, name: str) -> None:
        """Remember everything under this name, for as long as the process lives."""
        with self._lock:
            if name not in self._kept:
                self._kept[name] = sqlite3.connect(":memory:", check_same_thread=False)
            self.connection.backup(self._kept[name])

    def go_back(self, name: str) -> None:
        """Make everything as it was kept. Raises KeyError where nothing was."""
        with self._lock:
            self._kept[name].backup(self.connection)


database = Database()
