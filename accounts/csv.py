"""Tables for spreadsheets: streamed, and no cell is one that a spreadsheet would run."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal

from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

# What begins a formula, in their wide forms too.
FORMULA = tuple("=+-@＝＋－＠")  # noqa: RUF001
# A spreadsheet that drops these finds what stands behind them.
DROPPED = ("\t", "\r", "\n")
# Excel reads UTF-8 only where this stands first.
BYTE_ORDER_MARK = "\ufeff"


class _Line:
    """What the writer writes to: it hands each line back."""

    def write(self, line: str) -> str:
        return line


def stream_csv(
    name: str, header: Iterable[object], rows: Iterable[Iterable[object]]
) -> StreamingHttpResponse:
    """Return a download called `name`.csv, read row by row from `rows` while it is sent.

    Times are written in ISO 8601, and what is None as an empty cell. Text that a spreadsheet would
    take for a formula gets an apostrophe before it; numbers stay numbers.
    """
    response = StreamingHttpResponse(_lines(header, rows), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = content_disposition_header(True, f"{name}.csv") or ""
    return response


def safe_cell(value: object) -> object:
    """Return what stands in the cell: a number, or text that no spreadsheet runs."""
    if value is None:
        return ""
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return value
    text = value.isoformat() if isinstance(value, datetime) else str(value)
    is_dangerous = text.startswith(DROPPED) or text.lstrip().startswith(FORMULA)
    return f"'{text}" if is_dangerous else text


def _lines(header: Iterable[object], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    # Everything in quotes: a comma, a semicolon or a line break begins no cell of its own.
    writer = csv.writer(_Line(), quoting=csv.QUOTE_ALL)
    yield BYTE_ORDER_MARK + writer.writerow([safe_cell(cell) for cell in header])
    for row in rows:
        yield writer.writerow([safe_cell(cell) for cell in row])
