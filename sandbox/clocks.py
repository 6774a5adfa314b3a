"""What time it is: real time, or that of the test clock that a customer lives by."""

import time

from sandbox import records
from sandbox.records import Record

KIND = "test_helpers.test_clock"


def real_now() -> int:
    return int(time.time())


def now_on(clock: str | None) -> int:
    if clock is None:
        return real_now()
    record = records.find(clock)
    if record is None or record.is_deleted:
        return real_now()
    frozen_time: int = record.data["frozen_time"]
    return frozen_time


def now_of(record: Record) -> int:
    """Tell the time that an object lives by."""
    return now_on(record.clock)


def now_for(customer: str | None) -> int:
    """Tell the time that a customer lives by."""
    owner = records.find(customer) if customer else None
    return now_on(owner.clock if owner else None)
