"""A word about a row, as a small label in the admin's lists: the word says it, not the colour."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.text import capfirst

# What each look is called in static/staff.css.
GOOD, WARN, BAD, PLAIN, TIER = "good", "warn", "bad", "plain", "tier"


def chip(words: str | Promise, look: str = PLAIN) -> str:
    return format_html('<span class="chip chip-{}">{}</span>', look, capfirst(str(words)))


def in_a_row(chips: Iterable[str | None]) -> str:
    return format_html_join(" ", "{}", ((each,) for each in chips if each))
