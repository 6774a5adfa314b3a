"""What all hosted pages share."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from sandbox import records
from sandbox.billing import cards
from sandbox.billing.cards import Card, InvalidNumber
from sandbox.database import database
from sandbox.kinds import JSON
from sandbox.records import Record

INVALID_NUMBER = "Your card has an invalid number. Use one of the test cards below."


class CardError(Exception):
    """What the page tells a person whose card will not do."""


def show(request: HttpRequest, template: str, context: JSON, *, status: int = 200) -> HttpResponse:
    context = {"test_cards": cards.CARDS, **context}
    return render(request, f"sandbox/{template}", context, status=status)


def go(url: str) -> HttpResponse:
    """Send the browser on with a GET, whatever brought it here."""
    response = HttpResponse(status=303)
    response["Location"] = url
    return response


def serialized(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Make a page's work happen alone, and wholly or not at all."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with database.transaction():
            return view(request, *args, **kwargs)

    return wrapped


def find(kind: str, id: str) -> Record | None:
    record = records.find(id)
    if record is None or record.kind != kind or record.is_deleted:
        return None
    return record


def gone(request: HttpRequest, what: str) -> HttpResponse:
    return show(request, "gone.html", {"message": f"There is no such {what}."}, status=404)


def given_card(request: HttpRequest) -> Card:
    """Read the card field, or raise CardError in words to act on."""
    number = request.POST.get("card", "").strip()
    if not number:
        raise CardError("Enter a card number.")
    try:
        return cards.by_number(number)
    except InvalidNumber as error:
        raise CardError(INVALID_NUMBER) from error


def day(moment: int | None) -> str:
    """Write a timestamp as a date, in UTC."""
    return datetime.fromtimestamp(moment, UTC).strftime("%d %b %Y") if moment else ""


def minute(moment: int | None) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%d %b %Y %H:%M") if moment else ""
