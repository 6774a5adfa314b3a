"""What people see of a page or a mail, and what of it did not pass through translation."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from typing import Any

# Attributes that are shown or read out.
TOLD = {"title", "aria-label", "aria-description", "aria-valuetext", "alt", "placeholder", "label"}
# Scripts' own words: what a page hands to them to say.
HANDED_TO_SCRIPTS = re.compile(r"data-(failed|known|insecure|unsupported|confirm|label|words)$")
BUTTONS = {"submit", "button", "reset"}
# Addresses are data, whatever they are of.
ADDRESS = re.compile(r"https?://\S+|[\w.+-]+@[\w.-]+\w")
LETTER = re.compile(r"[A-Za-z]")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: list[str] = []
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag in ("script", "style"):
            is_data = values.get("type") == "application/json"
            self._inside = "json" if is_data else tag
        if tag == "input" and values.get("type") in BUTTONS:
            self.texts.append(values.get("value", ""))
        if tag == "meta" and values.get("name") == "description":
            self.texts.append(values.get("content", ""))
        self.texts += [
            value for name, value in values.items() if name in TOLD or HANDED_TO_SCRIPTS.match(name)
        ]

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "json":
            self.texts += _labels(json.loads(data))
        elif not self._inside:
            self.texts.append(data)


def _labels(data: Any) -> Iterator[str]:
    """What a chart writes beside its lines."""
    if isinstance(data, list):
        for each in data:
            yield from _labels(each)
    elif isinstance(data, dict):
        for name, value in data.items():
            if name in ("label", "labels"):
                yield from [value] if isinstance(value, str) else value
            else:
                yield from _labels(value)


def texts_of(page: str) -> list[str]:
    """Return what people see and hear of an HTML page, piece by piece."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return [text for each in reader.texts if (text := " ".join(each.split()))]


class Untranslated:
    """Finds what reads as English, apart from data: names, ids and the like."""

    def __init__(self, data: Iterable[object]) -> None:
        words = sorted({str(each) for each in data if LETTER.search(str(each))}, key=len)[::-1]
        known = "|".join(re.escape(" ".join(each.split())) for each in words)
        self._data = re.compile(rf"(?<![A-Za-z])(?:{known})(?![A-Za-z])", re.IGNORECASE)

    def in_texts(self, texts: Iterable[str]) -> list[str]:
        return [text for text in texts if LETTER.search(self._without_data(text))]

    def _without_data(self, text: str) -> str:
        return self._data.sub("·", ADDRESS.sub("·", text))
