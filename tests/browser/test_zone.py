"""The reader's zone in a real browser: told without asking, in the product and in the admin."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from accounts.reader import COOKIE
from config.processes import BASE_DIR
from tests.browser.looking import opened
from tests.browser.people import Team

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SECURITY = "/account/security/"


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/Los_Angeles"])
def test_the_second_page_has_the_times_of_the_zone_that_the_browser_is_in(
    live_server: LiveServer, team: Team, zone: str
) -> None:
    with opened(live_server, team.owner, zone=zone) as page:
        page.goto(SECURITY)
        expect(page.get_by_text("Times are in the zone UTC.")).to_be_visible()
        page.reload()
        expect(page.get_by_text(f"Times are in the zone {zone}.")).to_be_visible()
        (cookie,) = (each for each in page.context.cookies() if each["name"] == COOKIE)
    assert (cookie["value"], cookie["sameSite"], cookie["path"]) == (zone, "Lax", "/")


def test_the_admin_tells_it_too(live_server: LiveServer, staff: User) -> None:
    with opened(live_server, staff, zone="Asia/Tokyo") as page:
        page.goto("/admin/")
        page.goto(SECURITY)
        expect(page.get_by_text("Times are in the zone Asia/Tokyo.")).to_be_visible()


def test_over_https_no_neighbour_under_the_same_domain_can_tell_it(
    live_server: LiveServer, team: Team
) -> None:
    """A page of ours, as a browser gets it under an address of production."""
    page_of_ours = '<!doctype html><script src="/static/zone.js"></script>'
    script = (BASE_DIR / "static/zone.js").read_text()
    with opened(live_server, zone="Asia/Tokyo") as page:
        page.route("https://app.example.com/**", lambda route: route.fulfill(body=script))
        page.route(
            "https://app.example.com/",
            lambda route: route.fulfill(body=page_of_ours, content_type="text/html"),
        )
        page.goto("https://app.example.com/")
        (cookie,) = page.context.cookies("https://app.example.com/")
    assert (cookie["name"], cookie["value"]) == (f"__Host-{COOKIE}", "Asia/Tokyo")
    assert cookie["secure"]


def test_a_browser_that_moves_is_followed(live_server: LiveServer, team: Team) -> None:
    with opened(live_server, team.owner, zone="Asia/Tokyo") as page:
        cookie = {"name": COOKIE, "value": "Europe/Berlin", "url": live_server.url}
        page.context.add_cookies([cookie])  # type: ignore[list-item]
        page.goto(SECURITY)
        expect(page.get_by_text("Times are in the zone Europe/Berlin.")).to_be_visible()
        page.reload()
        expect(page.get_by_text("Times are in the zone Asia/Tokyo.")).to_be_visible()
