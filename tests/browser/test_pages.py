"""The pages in a real browser: no accessibility violation, a silent console, nothing cut off.

The people and their sessions are made before the browser opens: Playwright runs an event loop in
this thread, and Django refuses its database there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Literal

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from orgs import services
from orgs.models import Organization

CHROMIUM = "/usr/bin/chromium"
CHROMIUM_ARGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
# All its rules: WCAG's, and the engine's own advice.
AXE = (Path(__file__).parent / "axe.min.js").read_text(encoding="utf-8")
PASSWORD = "correct horse battery"

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
WIDTHS = (320, 1280)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@dataclass(frozen=True)
class Team:
    owner: User
    member: User
    organization: Organization


@pytest.fixture
def team(transactional_db: None) -> Team:
    owner = services.sign_up(
        email="alice@example.com",
        password=PASSWORD,
        name="Alice Adams",
        organization_name="Acme Shipping & Sons",
        is_email_verified=True,
    )
    owner.refresh_from_db()
    organization = owner.organization
    assert organization is not None
    now = timezone.now()
    # An address as long as they come: it must not push a page wider than a phone.
    invitation = services.invite(
        organization=organization,
        email="bob.with.quite.a.long.address@shipping-and-sons.example.com",
        by=owner,
        now=now,
    )
    member = services.join_as_new_person(invitation=invitation, name="", password=PASSWORD, now=now)
    services.invite(organization=organization, email="charlie@example.com", by=owner, now=now)
    return Team(owner, member, organization)


def lock(organization: Organization) -> None:
    Organization.objects.filter(pk=organization.pk).update(locked_from=timezone.now())


@contextmanager
def opened(server: LiveServer, person: User | None = None) -> Iterator[Page]:
    """Open a browser, signed in as a person; complain about what its console said."""
    client = Client()
    if person is not None:
        client.force_login(person)
    said: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGS)
        # Without motion, colours are there at once and not on their way.
        page = browser.new_page(base_url=server.url, reduced_motion="reduce")
        if person is not None:
            name = settings.SESSION_COOKIE_NAME
            cookie = client.cookies[name].value
            page.context.add_cookies([{"name": name, "value": cookie, "url": server.url}])
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        yield page
        browser.close()
    # Chromium notes each answer above 399; the lock screen is one by design.
    assert [line for line in said if "status of 403" not in line] == []


def invisible(undecided: list[dict[str, Any]]) -> list[str]:
    """Return the elements whose text has the colour of their ground: axe leaves those to people."""
    return [
        node["html"]
        for rule in undecided
        if rule["id"] == "color-contrast"
        for node in rule["nodes"]
        if any((check["data"] or {}).get("messageKey") == "equalRatio" for check in node["any"])
    ]


def faults(page: Page) -> list[str]:
    """Return what axe finds in each size and scheme, and whether the page is too wide."""
    page.evaluate(AXE)
    found = []
    for width, scheme in product(WIDTHS, SCHEMES):
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        where = f"{page.url} at {width}, {scheme}"
        result = page.evaluate("axe.run()")
        for rule in result["violations"]:
            found += [f"{where}: {rule['id']}: {node['html']}" for node in rule["nodes"]]
        found += [f"{where}: invisible: {html}" for html in invisible(result["incomplete"])]
        if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            found.append(f"{where}: wider than the window")
    return found


def faults_of(page: Page, *paths: str) -> list[str]:
    found = []
    for path in paths:
        page.goto(path)
        found += faults(page)
    return found


def test_pages_for_visitors_have_no_faults(live_server: LiveServer) -> None:
    with opened(live_server) as page:
        found = faults_of(
            page, "/", "/accounts/login/", "/accounts/signup/", "/accounts/password/reset/"
        )
    assert found == []


def test_forms_with_errors_have_no_faults_and_name_them(live_server: LiveServer) -> None:
    with opened(live_server) as page:
        page.goto("/accounts/signup/")
        page.get_by_label("Your name").fill("Zoe")
        page.get_by_label("Organization").fill("Zoo")
        page.get_by_label("Email").fill("zoe@example.com")
        page.get_by_label("Password").fill("password")
        page.get_by_role("main").get_by_role("button", name="Sign up").click()
        password = page.get_by_label("Password")
        described_by = (password.get_attribute("aria-describedby") or "").split()
        is_invalid = password.get_attribute("aria-invalid")
        title = page.title()
        found = faults(page)
    assert "id_password1_error" in described_by
    assert is_invalid == "true"
    assert title.startswith("Error:")
    assert found == []


def test_pages_for_the_owner_have_no_faults(live_server: LiveServer, team: Team) -> None:
    with opened(live_server, team.owner) as page:
        found = faults_of(
            page, "/", "/team/", "/billing/", "/accounts/email/", "/accounts/password/change/"
        )
    assert found == []


def test_pages_for_a_member_have_no_faults(live_server: LiveServer, team: Team) -> None:
    with opened(live_server, team.member) as page:
        found = faults_of(page, "/", "/team/", "/billing/")
    assert found == []


def test_the_banner_of_a_locked_team_has_no_faults(live_server: LiveServer, team: Team) -> None:
    lock(team.organization)
    with opened(live_server, team.owner) as page:
        found = faults_of(page, "/", "/billing/")
        button = page.get_by_role("button", name="Update payment info").is_visible()
    assert button
    assert found == []


def test_the_lock_screen_has_no_faults_and_a_way_out_by_keyboard(
    live_server: LiveServer, team: Team
) -> None:
    lock(team.organization)
    with opened(live_server, team.member) as page:
        found = faults_of(page, "/")
        page.get_by_role("button", name="Log out").press("Enter")
        page.wait_for_url("**/accounts/login/")
    assert found == []
