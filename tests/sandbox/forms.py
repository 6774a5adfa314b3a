"""A browser small enough to script: it reads pages and sends the forms that it finds in them."""

import urllib.error
import urllib.request
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.client import HTTPMessage
from typing import IO, Any
from urllib.parse import urlencode, urljoin, urlsplit


@dataclass
class Form:
    id: str
    action: str
    fields: dict[str, str] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: dict[str, Form] = {}
        self.links: dict[str, str] = {}
        self.hrefs: list[str] = []
        self.words: list[str] = []
        self._form: Form | None = None
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {key: value or "" for key, value in attrs}
        if tag == "form":
            self._form = Form(given.get("id", ""), given.get("action", ""))
            self.forms[self._form.id] = self._form
        elif tag == "a":
            self.hrefs.append(given.get("href", ""))
            if "id" in given:
                self.links[given["id"]] = given.get("href", "")
        elif self._form is not None and tag == "input":
            self._form.fields[given["name"]] = given.get("value", "")
        elif self._form is not None and tag == "select":
            self._select = given["name"]
            self._form.choices[self._select] = []
        elif self._form is not None and tag == "option":
            self._form.choices[self._select].append(given["value"])
            self._form.fields.setdefault(self._select, given["value"])

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None

    def handle_data(self, data: str) -> None:
        self.words.extend(data.split())


@dataclass(frozen=True)
class Page:
    """What came back. `forms` and `links` by id, `hrefs` of all links.

    For a redirect elsewhere, `url` is where it leads.
    """

    status: int
    url: str
    text: str
    forms: dict[str, Form]
    links: dict[str, str]
    hrefs: list[str]


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> None:
        """Redirects are followed below, and only within the sandbox."""


_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Stay())


def visit(url: str, fields: dict[str, str] | None = None) -> Page:
    """Open a page (with fields: POST them) and follow to where it ends."""
    data = None if fields is None else urlencode(fields).encode()
    status, headers, body = _fetch(urllib.request.Request(url, data=data))
    if status == 303:
        onward = urljoin(url, headers["Location"])
        if urlsplit(onward).netloc == urlsplit(url).netloc:
            return visit(onward)
        return Page(status, onward, "", {}, {}, [])
    reader = _Reader()
    reader.feed(body)
    return Page(status, url, " ".join(reader.words), reader.forms, reader.links, reader.hrefs)


def _fetch(request: urllib.request.Request) -> tuple[int, Any, str]:
    try:
        with _opener.open(request, timeout=30) as response:
            return response.status, response.headers, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read().decode()


def submit(page: Page, form: str, **fields: str) -> Page:
    """Fill in a form of a page and send it."""
    found = page.forms[form]
    unknown = fields.keys() - found.fields.keys() - {"decision", "by"}
    assert not unknown, f"{form} has no field {unknown}"
    return visit(urljoin(page.url, found.action), {**found.fields, **fields})
