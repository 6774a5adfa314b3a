"""The log in a real browser: the organization's activity, and a person's own security page."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from accounts.events import Event
from accounts.models import UserEventLog
from orgs.models import Organization, Tier
from tests.browser.looking import faults, opened
from tests.browser.people import Team

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_owner_filters_goes_back_in_time_and_downloads(
    live_server: LiveServer, team: Team
) -> None:
    organization = team.owner.organization
    Organization.objects.update(tier=Tier.objects.get(key="business"))
    UserEventLog.objects.bulk_create(
        UserEventLog(
            event=Event.LOGIN,
            user=team.member,
            actor=team.member,
            organization=organization,
            data={"methods": ["password", "totp"]},
        )
        for _each in range(60)
    )
    with opened(live_server, team.owner) as page:
        page.goto("/team/")
        page.get_by_role("link", name="Who did what").click()
        found = faults(page)
        page.get_by_label("Kind").select_option("login")
        page.get_by_role("button", name="Show").click()
        older = page.get_by_role("link", name="Older")
        # Only the lines are loaded again: a click would be in time for those before.
        expect(older).to_have_attribute("href", re.compile("kind=login"))
        assert page.get_by_role("row").count() == 51
        older.click()
        assert page.get_by_label("Kind").input_value() == "login"
        found += faults(page)
        with page.expect_download() as download:
            page.get_by_role("button", name="Download these as CSV").click()
        name = download.value.suggested_filename
        lines = download.value.path().read_text("utf-8-sig").splitlines()
    assert found == []
    assert name.startswith("activity-")
    assert name.endswith(".csv")
    # The owner's own log-in, by the browser, may be among them.
    assert len(lines) - 1 >= 60


def test_people_find_what_happened_to_their_account(live_server: LiveServer, team: Team) -> None:
    UserEventLog.objects.create(
        event=Event.LOGIN_FAILED,
        user=team.member,
        ip_address="192.0.2.66",
        device="Firefox/1 Linux",
    )
    with opened(live_server, team.member) as page:
        page.goto("/account/")
        page.get_by_role("link", name="Security activity").click()
        text = page.get_by_role("main").inner_text()
        found = faults(page)
    assert found == []
    for told in ("failed to log in", "Firefox on Linux", "192.0.2.66"):
        assert told in text
