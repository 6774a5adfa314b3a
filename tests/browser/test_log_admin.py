"""Staff read the log in the admin, and the owner takes a copy, in a real browser."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from accounts.events import Event
from accounts.models import User, UserEventLog
from tests.browser import chromium
from tests.browser.looking import faults, opened
from tests.browser.people import PASSWORD, Team

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_staff_search_filter_and_go_on_to_older_lines(
    live_server: LiveServer, team: Team, staff: User
) -> None:
    UserEventLog.objects.bulk_create(
        UserEventLog(event=Event.LOGIN, user=team.owner, actor=team.owner) for _each in range(1100)
    )
    with opened(live_server, staff) as page:
        page.goto("/admin/accounts/usereventlog/?q=alice%40&kind=login")
        lines = page.locator("#result_list tbody tr")
        expect(lines).to_have_count(100)
        page.get_by_role("link", name="Older ones").click()
        expect(page.get_by_role("link", name="Older ones")).to_have_count(0)
        lines.first.get_by_role("link").first.click()
        expect(page.get_by_text("logged in", exact=True)).to_be_visible()


def test_the_owner_downloads_the_organizations_data(live_server: LiveServer, team: Team) -> None:
    with opened(live_server, team.owner) as page:
        page.goto("/organization/export/")
        chromium.confirm_password(page, PASSWORD)
        found = faults(page)
        with page.expect_download() as download:
            page.get_by_role("main").get_by_role("button").first.click()
        told = json.loads(download.value.path().read_text("utf-8"))
    assert found == []
    assert told["organization"]["name"] == "Acme Shipping & Sons"
    assert len(told["people"]) == 2
