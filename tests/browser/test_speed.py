"""What a first visit costs, as in production: files with hashed names, compressed, and no cache."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client
from playwright.sync_api import Browser, sync_playwright
from pytest_django import Settings

from config.processes import LOCALHOST, ManagedProcess, free_port
from tests.browser import chromium
from tests.browser.people import Team

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# Bytes of a page with all that it loads.
MOST = 60_000
PUBLIC = ("/", "/accounts/login/")
OURS = ("/", "/team/", "/billing/")
SHIFTS = """
window.shifts = [];
new PerformanceObserver((seen) => {
  for (const each of seen.getEntries()) window.shifts.push(each.value);
}).observe({type: "layout-shift", buffered: true});
"""
# Two frames later, what was drawn has been reported.
SHIFTED = """
new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(window.shifts))))
"""


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a server as in production, with its files."""
    environment = {
        "DEBUG": "false",
        "SECRET_KEY": django_settings.SECRET_KEY,
        "ENCRYPTION_KEY": django_settings.ENCRYPTION_KEY,
        "ALLOWED_HOSTS": LOCALHOST,
        "SECURE_SSL_REDIRECT": "false",
        "STATIC_ROOT": str(tmp_path_factory.mktemp("static")),
        "CACHE_URL": "locmemcache://",
    }
    with ManagedProcess("collectstatic", "--noinput", env=environment) as process:
        process.wait()
    return environment


@pytest.fixture
def production(collected: dict[str, str], transactional_db: None) -> Iterator[str]:
    """The address of a server as in production, with the database of this test."""
    assert connection.vendor == "sqlite"
    database = Path(str(connection.settings_dict["NAME"]))
    port = free_port()
    environment = collected | {"DATABASE_URL": f"sqlite:///{quote(str(database))}"}
    with ManagedProcess(
        "runserver", f"{LOCALHOST}:{port}", "--noreload", env=environment
    ) as process:
        process.wait_for_port(port, within=60)
        yield f"http://{LOCALHOST}:{port}"


@pytest.fixture
def session(team: Team, settings: Settings) -> str:
    client = Client()
    client.force_login(team.owner)
    key: str = client.cookies[settings.SESSION_COOKIE_NAME].value
    return key


def visit(
    browser: Browser, url: str, session: str, *, width: int
) -> tuple[dict[str, int], list[float]]:
    """Return how many bytes came for each address, and how far what was drawn has moved."""
    context = browser.new_context(viewport={"width": width, "height": 800})
    if session:
        name = django_settings.SESSION_COOKIE_NAME
        context.add_cookies([{"name": name, "value": session, "url": url}])
    page = context.new_page()
    page.add_init_script(SHIFTS)
    asked: dict[str, str] = {}
    sizes: dict[str, int] = {}

    def ask(told: Any) -> None:
        asked[told["requestId"]] = told["request"]["url"]

    def finish(told: Any) -> None:
        sizes[asked[told["requestId"]]] = int(told["encodedDataLength"])

    network = context.new_cdp_session(page)
    network.on("Network.requestWillBeSent", ask)
    network.on("Network.loadingFinished", finish)
    network.send("Network.enable")
    answer = page.goto(url, wait_until="networkidle")
    assert answer is not None
    assert answer.status == 200
    shifts: list[float] = page.evaluate(SHIFTED)
    context.close()
    return sizes, shifts


def test_a_first_visit_is_light_and_nothing_moves(production: str, session: str) -> None:
    found = {}
    moved = {}
    with sync_playwright() as playwright:
        browser = chromium.launch(playwright)
        for path, who in [*((path, "") for path in PUBLIC), *((path, session) for path in OURS)]:
            for width in (320, 1280):
                sizes, shifts = visit(browser, production + path, who, width=width)
                found[path, bool(who), width] = sizes
                moved[path, bool(who), width] = shifts
        browser.close()
    heavy = {what: sizes for what, sizes in found.items() if sum(sizes.values()) > MOST}
    assert heavy == {}
    assert {what: shifts for what, shifts in moved.items() if shifts} == {}
    # They are what they claim to be: each came with its style sheets, under hashed names.
    assert all(any(".css" in url for url in sizes) for sizes in found.values())
    assert all("app.css" not in url for sizes in found.values() for url in sizes)
