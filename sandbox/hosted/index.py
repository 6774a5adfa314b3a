"""The index: what happens in this sandbox, newest first, and what can be done about it."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from sandbox import clocks, deliveries, records
from sandbox.billing import lines
from sandbox.billing.collecting import DUNNING_ENDS, dunning_end
from sandbox.hosted import pages, presets
from sandbox.hosted.portal_view import suffix
from sandbox.kinds import JSON
from sandbox.records import Record
from sandbox.schedule import period_end
from sandbox.weather import weather

# How many of each list a page shows; the links below it lead to older ones.
SHOWN = 15
# A customer rarely has more, but a test may.
PLANS_SHOWN = 5


@pages.serialized
def view(request: HttpRequest) -> HttpResponse:
    return page(request, "")


def page(request: HttpRequest, error: str) -> HttpResponse:
    """Show the index, with what was wrong about the form that led here."""
    context = {
        "error": error,
        "now": pages.minute(clocks.real_now()),
        "clocks": [
            _clock(record, place)
            for place, record in enumerate(
                records.each(clocks.KIND, oldest_first=True, limit=SHOWN), start=1
            )
        ],
        "weather": presets.described(weather.as_json()),
        "presets": presets.PRESETS,
        "dunning_ends": DUNNING_ENDS,
        "dunning_end": dunning_end(),
        "customers": _objects(request, "customers", "customer", _customer),
        "checkouts": _objects(request, "checkouts", "checkout.session", _checkout, is_due=True),
        "invoices": _objects(request, "invoices", "invoice", _invoice),
        "events": _objects(request, "events", "event", _event),
        "deliveries": _deliveries(request),
        "counts": deliveries.counts(("pending", "failed", "dropped")),
    }
    return pages.show(request, "index.html", context)


def _before(request: HttpRequest, name: str) -> int | None:
    """Read where the page of a list begins: `?events=17` shows what came before number 17."""
    given = request.GET.get(name, "")
    return int(given) if given.isdecimal() and len(given) < 16 else None


def _objects(
    request: HttpRequest,
    name: str,
    kind: str,
    describe: Callable[[Record], JSON],
    *,
    is_due: bool = False,
) -> JSON:
    before = _before(request, name)
    found = records.each(kind, before=before, is_due=is_due, limit=SHOWN + 1)
    rows = [{"id": each.id, "seq": each.seq, **describe(each)} for each in found]
    return _cut(name, before, rows)


def _deliveries(request: HttpRequest) -> JSON:
    before = _before(request, "deliveries")
    return _cut("deliveries", before, deliveries.latest(SHOWN + 1, before=before))


def _cut(name: str, before: int | None, rows: list[JSON]) -> JSON:
    """Keep one page, and say where the next one begins (None: nowhere)."""
    shown = rows[:SHOWN]
    return {
        "name": name,
        "is_first": before is None,
        "rows": shown,
        "older": shown[-1]["seq"] if len(rows) > SHOWN else None,
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
        "name": record.data["name"] or record.data["email"] or record.id,
        "subscriptions": [
            _subscription(each.data)
            for each in records.each("subscription", customer=record.id, limit=PLANS_SHOWN)
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


def _checkout(record: Record) -> JSON:
    return {
        "url": record.data["url"],
        "customer": record.data["customer"],
        "amount": lines.money(record.data["amount_total"], record.data["currency"]),
        "expires": pages.minute(record.data["expires_at"]),
    }


def _invoice(record: Record) -> JSON:
    data = record.data
    return {
        "number": data["number"] or "Draft",
        "url": data["hosted_invoice_url"],
        "customer": data["customer"],
        "amount": lines.money(data["amount_due"], data["currency"]),
        "status": data["status"],
        "retry": pages.minute(data["next_payment_attempt"]),
    }


def _event(record: Record) -> JSON:
    return {
        "type": record.data["type"],
        "subject": record.data["data"]["object"].get("id", ""),
        "time": pages.minute(record.data["created"]),
        "waiting": deliveries.pending_of(record.id),
    }
