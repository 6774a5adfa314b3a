"""Opens pages in a real browser, and finds what is wrong with how they look and what they say.

The people and their sessions are made before the browser opens: Playwright runs an event loop in
this thread, and Django refuses its database there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any, Literal

from django.conf import settings
from django.test import Client
from playwright.sync_api import Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from tests.browser import chromium

# All its rules: WCAG's, and the engine's own advice.
AXE = (Path(__file__).parent / "axe.min.js").read_text(encoding="utf-8")

# What it finds, and no word of what is right, which would take most of the time. Style sheets are
# not fetched once more: for those that others import axe would add a style, which our policy
# refuses.
LOOK = """(part) => axe
    .run(part, { preload: false, resultTypes: ["violations", "incomplete"] })
    .then(({ violations, incomplete }) => ({ violations, incomplete }))"""

TOO_WIDE = """[...document.querySelectorAll("body *")]
    .filter((each) => each.getBoundingClientRect().right > window.innerWidth)
    .map((each) => each.outerHTML.slice(0, 200)).at(-1)"""

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
WIDTHS = (320, 768, 1280)
WHOLE = "html"


@contextmanager
def opened(
    server: LiveServer,
    person: User | None = None,
    *,
    refusals: Collection[int] = (),
    complaints: Collection[str] = (),
    has_javascript: bool = True,
    zone: str | None = None,
) -> Iterator[Page]:
    """Open a browser, signed in as a person; complain about what its console said.

    It stands in the machine's time zone, or in the one that is named.
    Chromium notes each answer above 399 there; `refusals` are those that are meant, and
    `complaints` the words of others.
    """
    with windows(
        server,
        person,
        refusals=refusals,
        complaints=complaints,
        has_javascript=has_javascript,
        zone=zone,
    ) as (page,):
        yield page


@contextmanager
def windows(
    server: LiveServer,
    *people: User | None,
    refusals: Collection[int] = (),
    complaints: Collection[str] = (),
    has_javascript: bool = True,
    zone: str | None = None,
) -> Iterator[list[Page]]:
    """`opened`, for several people at once, each with a window of their own."""
    sessions = [_session_of(person) for person in people]
    said: list[str] = []
    with sync_playwright() as playwright:
        browser = chromium.launch(playwright)
        # Without motion, colours are there at once and not on their way.
        contexts = [
            browser.new_context(
                base_url=server.url,
                reduced_motion="reduce",
                java_script_enabled=has_javascript,
                timezone_id=zone,
            )
            for _person in people
        ]
        for context, session in zip(contexts, sessions, strict=True):
            if session is not None:
                cookie = {"name": settings.SESSION_COOKIE_NAME, "value": session}
                context.add_cookies([{**cookie, "url": server.url}])  # type: ignore[typeddict-item]
            # Whatever window they open.
            context.on(
                "console", lambda message: said.append(f"{message.text} {message.location['url']}")
            )
            context.on("weberror", lambda error: said.append(str(error.error)))
        yield [context.new_page() for context in contexts]
        browser.close()
    # Django's admin names no icon, so Chromium asks for one where there is none.
    meant = ("/favicon.ico", *complaints, *(f"status of {status} " for status in refusals))
    unexpected = [line for line in said if not any(words in line for words in meant)]
    assert not unexpected, unexpected


def _session_of(person: User | None) -> str | None:
    if person is None:
        return None
    client = Client()
    client.force_login(person)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def invisible(undecided: list[dict[str, Any]]) -> list[str]:
    """Return the elements whose text has the colour of their ground: axe leaves those to people."""
    return [
        node["html"]
        for rule in undecided
        if rule["id"] == "color-contrast"
        for node in rule["nodes"]
        if any((check["data"] or {}).get("messageKey") == "equalRatio" for check in node["any"])
    ]


def faults(page: Page, within: str = WHOLE, widths: Iterable[int] = WIDTHS) -> list[str]:
    """Return what axe finds in each size and scheme, and whether the page is too wide.

    `within` is the part that is looked at: what stands around pages of the admin is Django's.
    """
    page.evaluate(AXE)
    found = []
    for width, scheme in product(widths, SCHEMES):
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        # Django's admin moves colours all the same. Waiting for them waits for frames, of which a
        # window that nobody sees may be given none.
        page.evaluate("document.getAnimations().forEach((each) => each.finish())")
        where = f"{page.url} at {width}, {scheme}"
        result = page.evaluate(LOOK, within)
        for rule in result["violations"]:
            found += [f"{where}: {rule['id']}: {node['html']}" for node in rule["nodes"]]
        found += [f"{where}: invisible: {html}" for html in invisible(result["incomplete"])]
        if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            found.append(f"{where}: wider than the window: {page.evaluate(TOO_WIDE)}")
    return found


def faults_of(page: Page, *paths: str) -> list[str]:
    found = []
    for path in paths:
        page.goto(path)
        found += faults(page)
    return found
