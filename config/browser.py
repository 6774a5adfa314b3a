"""A browser in small: opens pages, keeps cookies, fills in and sends the forms that it finds.

The walkthrough and the tests use it to do over HTTP what a person does: what no form offers
cannot be done.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.client import HTTPResponse
from http.cookiejar import CookieJar
from urllib.error import HTTPError
from urllib.parse import urlencode, urljoin
from urllib.request import (
    HTTPCookieProcessor,
    OpenerDirector,
    ProxyHandler,
    Request,
    build_opener,
)

TIMEOUT = 30


class FormNotFound(Exception):
    """The page has no such form."""


@dataclass
class Form:
    id: str
    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    # Boxes and buttons to choose, of which none is chosen: they can be, and are not sent.
    unchosen: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Page:
    """What came back, redirects followed: where it was, its status, its source, its forms."""

    url: str
    status: int
    source: str
    text: str
    forms: list[Form]

    def form(self, name: str) -> Form:
        """Return the form with this id, or whose address ends so. Raises FormNotFound."""
        for form in self.forms:
            if form.id == name or form.action.split("?")[0].endswith(name):
                return form
        found = ", ".join(form.id or form.action for form in self.forms)
        raise FormNotFound(f"{self.url} has no form {name!r}; it has: {found or 'none'}")


class Browser:
    """One person's browser. `page` is what they see."""

    def __init__(self) -> None:
        self._opener: OpenerDirector = build_opener(
            HTTPCookieProcessor(CookieJar()), ProxyHandler({})
        )
        self.page = Page("", 0, "", "", [])

    def open(self, url: str, *, accept: str = "text/html") -> Page:
        return self._send(Request(url, headers={"Accept": accept}))

    def submit(self, form_name: str, **fields: str) -> Page:
        """Fill in a form of this page and send it. Raises FormNotFound, and KeyError for a field
        that the form does not have."""
        form = self.page.form(form_name)
        if unknown := fields.keys() - form.fields.keys():
            raise KeyError(f"The form {form_name!r} has no {', '.join(sorted(unknown))}")
        unchosen = form.unchosen - fields.keys()
        sent = {name: value for name, value in form.fields.items() if name not in unchosen}
        data = urlencode(sent | fields)
        if form.method == "get":
            return self.open(f"{form.action.split('?')[0]}?{data}")
        # Browsers send both; Django's CSRF protection asks for the second on secure sites.
        headers = {"Accept": "text/html", "Referer": self.page.url}
        return self._send(Request(form.action, data.encode(), headers))

    def _send(self, request: Request) -> Page:
        try:
            response: HTTPResponse = self._opener.open(request, timeout=TIMEOUT)
        except HTTPError as refusal:
            # An answer like any other: the lock screen is one.
            with refusal:
                self.page = _read(refusal.url, refusal.code, refusal.read())
        else:
            with response:
                self.page = _read(response.url, response.status, response.read())
        return self.page


def _read(url: str, status: int, body: bytes) -> Page:
    source = body.decode("utf-8", "replace")
    parser = _Parser()
    parser.feed(source)
    for form in parser.forms:
        # A form without an address goes to its own page.
        form.action = urljoin(url, form.action) if form.action else url
    return Page(url, status, source, " ".join("".join(parser.texts).split()), parser.forms)


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.texts: list[str] = []
        self._form: Form | None = None
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = Form(
                values.get("id", ""), values.get("action", ""), values.get("method", "get").lower()
            )
            self.forms.append(self._form)
        elif self._form is not None:
            self._read_field(self._form, tag, values)

    def _read_field(self, form: Form, tag: str, values: dict[str, str]) -> None:
        name = values.get("name", "")
        if tag == "select":
            self._select = name
            form.fields[name] = ""
        elif tag == "option" and self._select:
            if not form.fields[self._select] or "selected" in values:
                form.fields[self._select] = values.get("value", "")
        elif tag in {"input", "button", "textarea"} and name:
            is_choice = values.get("type") in {"radio", "checkbox"}
            if is_choice and "checked" not in values:
                if name not in form.fields:
                    form.fields[name] = ""
                    form.unchosen.add(name)
            else:
                form.fields[name] = values.get("value", "")
                form.unchosen.discard(name)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = ""

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
