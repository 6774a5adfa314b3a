"""The index: what happens in this sandbox, and a way to let time pass."""

from django.http import HttpRequest, HttpResponse

from sandbox import clocks, deliveries, records
from sandbox.billing import lines, timeline
from sandbox.billing.periods import following
from sandbox.hosted import pages
from sandbox.hosted.portal_view import suffix
from sandbox.kinds import JSON
from sandbox.records import Record
from sandbox.schedule import DAY, period_end

SHOWN = 25
MOST_DAYS = 366


@pages.serialized
def view(request: HttpRequest) -> HttpResponse:
    return pages.show(request, "index.html", _context(""))


@pages.serialized
def move_clock(request: HttpRequest) -> HttpResponse:
    """Move one test clock by days, or by a month."""
    clock = pages.find(clocks.KIND, request.POST.get("clock", ""))
    if request.method != "POST" or clock is None:
        return pages.gone(request, "test clock")
    now = clock.data["frozen_time"]
    if request.POST.get("by") == "month":
        until = following(now, "month", 1, now)
    else:
        days = request.POST.get("days", "")
        if not days.isdigit() or not 1 <= int(days) <= MOST_DAYS:
            message = f"Enter a number of days between 1 and {MOST_DAYS}."
            return pages.show(request, "index.html", _context(message))
        until = now + int(days) * DAY
    timeline.advance(clock, until)
    return pages.go("/")


def _context(error: str) -> JSON:
    return {
        "error": error,
        "now": pages.minute(clocks.real_now()),
        "clocks": [
            _clock(record, place)
            for place, record in enumerate(records.each(clocks.KIND, oldest_first=True), start=1)
        ],
        "customers": [_customer(record) for record in records.each("customer", limit=SHOWN)],
        "events": [_event(record) for record in records.each("event", limit=SHOWN)],
        "deliveries": deliveries.latest(SHOWN),
        "counts": deliveries.counts(),
    }


def _clock(record: Record, place: int) -> JSON:
    return {
        "id": record.id,
        "name": record.data["name"] or record.id,
        "time": pages.minute(record.data["frozen_time"]),
        "suffix": suffix(place),
    }


def _customer(record: Record) -> JSON:
    return {
        "id": record.id,
        "name": record.data["name"] or record.data["email"] or record.id,
        "email": record.data["email"] or "",
        "clock": record.data["test_clock"] or "",
        "subscriptions": [
            _subscription(each.data) for each in records.each("subscription", customer=record.id)
        ],
    }


def _subscription(data: JSON) -> JSON:
    return {
        "id": data["id"],
        "status": data["status"],
        "rate": lines.rate(data["items"]["data"][0]["price"]),
        "period_end": pages.day(period_end(data)),
        "cancel_at": pages.day(data["cancel_at"]),
    }


def _event(record: Record) -> JSON:
    return {
        "id": record.id,
        "type": record.data["type"],
        "subject": record.data["data"]["object"].get("id", ""),
        "time": pages.minute(record.data["created"]),
        "waiting": deliveries.pending_of(record.id),
    }
