"""Stripe's objects as they are kept: what the API shows, and beside it what it never shows."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field

from sandbox.database import database
from sandbox.errors import missing_resource
from sandbox.kinds import JSON
from sandbox.schedule import due_moment


@dataclass
class Record:
    """One object of Stripe. `hidden` holds card numbers, secrets and the like."""

    id: str
    kind: str
    data: JSON
    hidden: JSON = field(default_factory=dict)
    customer: str | None = None
    clock: str | None = None
    is_deleted: bool = False
    seq: int = 0


def _record(row: sqlite3.Row) -> Record:
    return Record(
        id=row["id"],
        kind=row["kind"],
        data=json.loads(row["data"]),
        hidden=json.loads(row["hidden"]),
        customer=row["customer"],
        clock=row["clock"],
        is_deleted=bool(row["is_deleted"]),
        seq=row["seq"],
    )


def add(
    data: JSON, *, hidden: JSON | None = None, customer: str | None = None, clock: str | None = None
) -> Record:
    """Keep a new object. It lives by the clock of its customer, if any."""
    if customer is not None and clock is None:
        owner = find(customer)
        clock = owner.clock if owner else None
    record = Record(data["id"], data["object"], data, hidden or {}, customer, clock)
    record.seq = database.execute(
        "INSERT INTO objects (id, kind, customer, clock, due_at, data, hidden)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        record.id,
        record.kind,
        customer,
        clock,
        due_moment(data, record.hidden),
        json.dumps(data),
        json.dumps(record.hidden),
    )
    return record


def save(record: Record) -> None:
    database.execute(
        "UPDATE objects SET customer=?, clock=?, due_at=?, is_deleted=?, data=?, hidden=?"
        " WHERE id=?",
        record.customer,
        record.clock,
        due_moment(record.data, record.hidden),
        int(record.is_deleted),
        json.dumps(record.data),
        json.dumps(record.hidden),
        record.id,
    )


def delete(record: Record) -> JSON:
    """Leave of an object only Stripe's note that it was deleted."""
    record.data = {"id": record.id, "object": record.kind, "deleted": True}
    record.is_deleted = True
    save(record)
    return record.data


def find(id: str) -> Record | None:
    row = database.row("SELECT * FROM objects WHERE id=?", id)
    return _record(row) if row else None


def get(kind: str, id: str) -> Record:
    """Return the object named in an address, or raise Stripe's 404."""
    record = find(id)
    if record is None or record.kind != kind:
        raise missing_resource(kind, id, param=kind.rpartition(".")[2])
    return record


def live(kind: str, id: str) -> Record:
    """Do the same for a call that a deleted object cannot take."""
    record = get(kind, id)
    if record.is_deleted:
        raise missing_resource(kind, id, param=kind.rpartition(".")[2])
    return record


def known(kind: str, id: str, param: str) -> Record:
    """Return the object that a parameter names, or raise Stripe's 400."""
    record = find(id)
    if record is None or record.kind != kind:
        raise missing_resource(kind, id, param=param, status=400)
    return record


def referenced(kind: str, id: str, param: str) -> Record:
    """Do the same for a parameter that cannot name a deleted object."""
    record = known(kind, id, param)
    if record.is_deleted:
        raise missing_resource(kind, id, param=param, status=400)
    return record


def each(
    kind: str,
    *,
    customer: str | None = None,
    clock: str | None = None,
    oldest_first: bool = False,
    before: int | None = None,
    is_due: bool = False,
    limit: int = -1,
) -> Iterator[Record]:
    """Yield the objects of a kind that are not deleted, newest first.

    `before` leaves out what is not older than that number. `is_due` takes only those to which
    something will happen by itself, such as open checkout sessions.
    """
    values: list[str | int]
    conditions, values = "kind=? AND is_deleted=0", [kind]
    for condition, value in (("customer=?", customer), ("clock=?", clock), ("seq<?", before)):
        if value is not None:
            conditions += f" AND {condition}"
            values.append(value)
    if is_due:
        conditions += " AND due_at IS NOT NULL"
    order = "ASC" if oldest_first else "DESC"
    for row in database.rows(
        f"SELECT * FROM objects WHERE {conditions} ORDER BY seq {order} LIMIT {limit}", *values
    ):
        yield _record(row)


def next_due(clock: str | None, until: int) -> tuple[Record, int] | None:
    """Return what is due first on a clock (None: real time), and when."""
    row = database.row(
        "SELECT * FROM objects WHERE clock IS ? AND due_at <= ? ORDER BY due_at, seq LIMIT 1",
        clock,
        until,
    )
    return (_record(row), row["due_at"]) if row else None
