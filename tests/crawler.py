"""Follows what a page offers: links, forms that only ask, and the files that it needs.

It sends nothing that changes something: a form that posts is not sent.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from html.parser import HTMLParser
from itertools import chain
from typing import Any
from urllib.parse import SplitResult, urldefrag, urlencode, urljoin, urlsplit

from django.test import Client
from django.urls import Resolver404, resolve

SITE = "http://testserver"
# What a page itself loads, by the attribute that names it.
LOADED = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src"}
LEADS = {"a": "href", "area": "href"}

# What is passed on, so that the way back leads to where somebody came from.
REMEMBERED = {"_changelist_filters"}


@dataclass
class Question:
    """A form that asks by GET: its address, and what can be chosen for each of its fields."""

    action: str
    choices: dict[str, list[str]] = field(default_factory=dict)

    def urls(self, base: str) -> Iterator[str]:
        """Yield its addresses: as it stands, and with each choice once."""
        first = {name: values[0] for name, values in self.choices.items() if values}
        ways = [
            first | {name: value} for name, values in self.choices.items() for value in values
        ] or [first]
        for way in ways:
            yield urljoin(base, self.action).split("?")[0] + "?" + urlencode(way)


@dataclass
class Answer:
    """What came back for an address: here, and where it was named."""

    url: str
    found_at: str
    response: Any

    @property
    def status(self) -> int:
        return int(self.response.status_code)

    @property
    def is_page(self) -> bool:
        return str(self.response.headers.get("Content-Type", "")).startswith("text/html")

    @cached_property
    def source(self) -> str:
        response = self.response
        content = b"".join(response.streaming_content) if response.streaming else response.content
        return content.decode("utf-8", "replace") if self.is_page else ""

    @cached_property
    def offers(self) -> Offers:
        offers = Offers()
        offers.feed(self.source)
        return offers


class Crawler:
    """Opens what somebody can reach from a page: each pattern of an address `at_most` times, and so
    often with each name that it asks by.

    After `walk`: `answers` by address
    (without `#…`), `external` addresses that pages lead to, `loaded` those that they load, and
    `anchors`, the ids that were asked for: (address, id, page).
    """

    def __init__(
        self, client: Client, *, at_most: int, leaves_out: Callable[[str], bool] = lambda url: False
    ) -> None:
        self._client = client
        self._at_most = at_most
        self._leaves_out = leaves_out
        self._opened: Counter[object] = Counter()
        self.answers: dict[str, Answer] = {}
        self.external: dict[str, str] = {}
        self.loaded: dict[str, str] = {}
        self.anchors: set[tuple[str, str, str]] = set()

    def walk(self, *starts: str) -> Crawler:
        waiting = deque((urljoin(SITE, start), "the start") for start in starts)
        while waiting:
            url, found_at = waiting.popleft()
            if url not in self.answers and not self._has_enough(url):
                self.answers[url] = answer = Answer(url, found_at, self._open(url))
                waiting += [(each, url) for each in self._leads(answer)]
        return self

    def missing_anchors(self) -> list[str]:
        """Return the ids that a link leads to and its page does not have."""
        return [
            f"{page} leads to #{name} of {url}"
            for url, name, page in sorted(self.anchors)
            if url in self.answers and name not in self.answers[url].offers.ids
        ]

    def _has_enough(self, url: str) -> bool:
        parts = urlsplit(url)
        kinds = _kinds(parts)
        if self._leaves_out(url) or all(self._opened[kind] >= self._at_most for kind in kinds):
            return True
        self._opened.update(kinds)
        return False

    def _open(self, url: str) -> Any:
        return self._client.get(url.removeprefix(SITE))

    def _leads(self, answer: Answer) -> Iterator[str]:
        """Yield the addresses of this site that an answer leads to; note the others."""
        offers = answer.offers
        targets = [*offers.links, *offers.loads]
        if location := answer.response.headers.get("Location"):
            targets.append(location)
        asked = chain.from_iterable(question.urls(answer.url) for question in offers.questions)
        for load in offers.loads:
            self.loaded.setdefault(urljoin(answer.url, load), answer.url)
        for target in chain(targets, asked):
            url, fragment = urldefrag(urljoin(answer.url, target))
            if not _is_ours(url):
                self.external.setdefault(url, answer.url)
                continue
            if fragment:
                self.anchors.add((url, fragment, answer.url))
            yield url


def _is_ours(url: str) -> bool:
    return url == SITE or url.startswith((f"{SITE}/", f"{SITE}?"))


def _kinds(parts: SplitResult) -> list[object]:
    """Return the pattern of an address, with each name that it asks by."""
    try:
        route = resolve(parts.path).route
    except Resolver404:
        # A file, or a link that leads nowhere.
        route = parts.path
    names = {each.split("=")[0] for each in parts.query.split("&")} - REMEMBERED
    return [(route, name) for name in names or {""}]


class Offers(HTMLParser):
    """Reads what a page offers."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.questions: list[Question] = []
        # What the policy of our pages refuses to run: scripts and styles within the page.
        self.inline: list[str] = []
        self._question: Question | None = None
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if "id" in values:
            self.ids.add(values["id"])
        if (link := values.get(LEADS.get(tag, ""))) is not None:
            self.links.append(link)
        if (load := values.get(LOADED.get(tag, ""))) is not None and _is_loaded(tag, values):
            self.loads.append(load)
        self._note_inline(tag, values)
        if tag == "form":
            asks = values.get("method", "get").lower() == "get"
            self._question = Question(values.get("action", "")) if asks else None
            if self._question is not None:
                self.questions.append(self._question)
        elif self._question is not None:
            self._read_field(self._question, tag, values)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._question = None
        elif tag == "select":
            self._select = ""

    def _note_inline(self, tag: str, values: dict[str, str]) -> None:
        is_data = values.get("type", "").endswith("json")
        if tag == "style" or (tag == "script" and "src" not in values and not is_data):
            self.inline.append(f"<{tag}>")
        self.inline += [
            f"{name}={value!r} on <{tag}>"
            for name, value in values.items()
            if name == "style" or re.match(r"on[a-z]+$", name)
        ]

    def _read_field(self, question: Question, tag: str, values: dict[str, str]) -> None:
        name, kind = values.get("name", ""), values.get("type", "text")
        if tag == "select":
            self._select = name
            question.choices[name] = []
        elif tag == "option" and self._select:
            question.choices[self._select].append(values.get("value", ""))
        elif tag == "input" and name:
            typed = [values.get("value", "")]
            if kind in {"text", "search"}:
                typed = ["", "x"]
            question.choices.setdefault(name, []).extend(typed)


def _is_loaded(tag: str, values: dict[str, str]) -> bool:
    return tag != "link" or values.get("rel", "") in {"stylesheet", "icon", "preload", "manifest"}
