"""Time passing: everything that is due is done, in the order in which it falls due."""

from collections.abc import Callable

from sandbox import clocks, events, records
from sandbox.billing import collecting, endings, subscriptions
from sandbox.database import database
from sandbox.records import Record
from sandbox.schedule import subscription_moments


def tick() -> None:
    """Do what is due by real time."""
    now = clocks.real_now()
    while True:
        with database.transaction():
            due = records.next_due(None, now)
            if due is None:
                return
            _do(due[0])


def advance(clock: Record, until: int) -> None:
    """Move a test clock, stopping at every moment when something is due."""
    clock.data["status"] = "advancing"
    records.save(clock)
    events.emit("test_helpers.test_clock.advancing", clock)
    while (due := records.next_due(clock.id, until)) is not None:
        record, moment = due
        clock.data["frozen_time"] = max(clock.data["frozen_time"], moment)
        records.save(clock)
        _do(record)
    clock.data |= {"frozen_time": until, "status": "ready"}
    records.save(clock)
    events.emit("test_helpers.test_clock.ready", clock)


def _do(record: Record) -> None:
    if record.kind == "subscription":
        moments = subscription_moments(record.data, record.hidden)
        first = min(moments, key=lambda name: moments[name])
        SUBSCRIPTION_STEPS[first](record)
    elif record.kind == "invoice":
        collecting.collect(record, is_automatic=True)
    else:
        expire_session(record)


def _cancel(subscription: Record) -> None:
    endings.cancel(subscription, reason="cancellation_requested")


def expire_session(session: Record) -> None:
    """Close a checkout session for good."""
    session.data |= {"status": "expired", "url": None}
    records.save(session)
    events.emit("checkout.session.expired", session)


SUBSCRIPTION_STEPS: dict[str, Callable[[Record], None]] = {
    "cancel": _cancel,
    "resume_collection": subscriptions.resume_collection,
    "trial_notice": subscriptions.give_trial_notice,
    "end_trial": subscriptions.end_trial,
    "renew": subscriptions.renew,
    "expire": endings.expire,
}
