"""The log for machines: each line is a JSON object with ids, and nothing more personal.

What is written is listed here, and nothing else is: libraries hang requests, addresses and bodies
on their lines. docs/monitoring.md has the fields.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from traceback import walk_tb
from typing import Any

from django.http import HttpRequest

from accounts.current import current_request, known_ids

BASE_DIR = Path(__file__).resolve().parent.parent
NOBODY: dict[str, Any] = {"request_id": None, "user_id": None, "organization_id": None}
# What a line says besides, where whoever writes it hands it over as `extra`.
EXTRA = ("organization_id", "method", "route", "status", "milliseconds")
# What no message of ours says, and messages of libraries may: mail addresses, network addresses
# (gunicorn tells IPv6 ones as "ip=…"), Stripe's keys and secrets.
PERSONAL = re.compile(
    r"[^\s<>'\"(),;:=]+@[^\s<>'\"(),;:]+"
    r"|\b\d{1,3}(?:\.\d{1,3}){3}\b"
    r"|(?<=\bip=)[0-9A-Fa-f:.%]+"
    r"|\b[sr]k_(?:test|live)_\w+|\bwhsec_\w+"
)


class JsonFormatter(logging.Formatter):
    """Write a line's time, level, logger, message and ids; of an exception its type and way.

    What an exception says is left out: databases and mail servers quote in it what people wrote. Of
    a message the first line counts, for the same reason.
    """

    def format(self, record: logging.LogRecord) -> str:
        request = _request_of(record)
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": _without_personal_data(record.getMessage(), request),
            **(known_ids(request) if request else NOBODY),
        }
        line |= {name: record.__dict__[name] for name in EXTRA if name in record.__dict__}
        if record.exc_info and record.exc_info[1]:
            *way, error = _way_of(record.exc_info[1])
            line |= {"error": error, "way": way}
        return json.dumps(line)


def route_of(request: HttpRequest) -> str:
    """Return the name of the URL that was asked for; never its path, which may hold a token."""
    match = request.resolver_match
    return match.view_name if match is not None else "unknown"


def _request_of(record: logging.LogRecord) -> HttpRequest | None:
    # Django hangs it on what it says of a request whose answer has left the middleware.
    given = record.__dict__.get("request")
    return given if isinstance(given, HttpRequest) else current_request()


def _without_personal_data(message: str, request: HttpRequest | None) -> str:
    message = message.partition("\n")[0]
    if request is not None and len(request.path) > 1:
        for address in (request.get_full_path(), request.path):
            message = message.replace(address, route_of(request))
    return PERSONAL.sub("***", message)


def _way_of(error: BaseException) -> Iterator[str]:
    """Name the calls that led to an exception and its type; what caused it stands before it."""
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        yield from _way_of(cause)
    for frame, line in walk_tb(error.__traceback__):
        code = frame.f_code
        file = Path(code.co_filename)
        shown = file.relative_to(BASE_DIR) if file.is_relative_to(BASE_DIR) else file.name
        yield f"{shown}:{line} {code.co_name}"
    yield f"{type(error).__module__}.{type(error).__qualname__}"
