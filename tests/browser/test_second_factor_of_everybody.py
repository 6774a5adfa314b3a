"""Where everybody needs a second factor, a member is led to it in a real browser, and goes on."""

from __future__ import annotations

import re

import pytest
from allauth.mfa.models import Authenticator
from playwright.sync_api import expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from tests.browser import chromium
from tests.browser.looking import faults, opened
from tests.browser.people import PASSWORD, Team
from tests.second_factor import set_up_second_factor
from tests.together import together

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

TOLD = "Everybody here needs a second factor."


@pytest.fixture(autouse=True)
def needed(settings: Settings) -> None:
    settings.SECOND_FACTOR_NEEDED_BY = "everybody"


def test_a_member_is_led_sets_up_an_app_and_goes_on(live_server: LiveServer, team: Team) -> None:
    with opened(live_server) as page:
        chromium.log_in(page, team.member.email, PASSWORD)
        page.goto("/team/?q=bob")
        expect(page.get_by_text(TOLD)).to_be_visible()
        navigation = page.get_by_role("navigation")
        expect(navigation.get_by_role("link")).to_have_count(0)
        expect(navigation.get_by_role("button", name="Log out")).to_be_visible()
        found = faults(page)
        page.get_by_role("link", name="Set it up").click()
        chromium.confirm_password(page, PASSWORD)
        chromium.switch_second_factor_on(page)
        found += faults(page)
        page.get_by_role("link", name="Go on to where you were going").click()
        expect(page).to_have_url(re.compile(r"/team/\?q=bob$"))
        expect(page.get_by_role("heading", level=1)).to_have_text("Team")
        expect(page.get_by_role("navigation").get_by_role("link", name="Billing")).to_be_visible()
    assert found == []


def test_who_removed_theirs_meanwhile_is_led_by_a_part_of_a_page_too(
    live_server: LiveServer, team: Team
) -> None:
    set_up_second_factor(team.owner)
    with opened(live_server, team.owner) as page:
        page.goto("/team/")
        together(Authenticator.objects.all().delete)
        page.get_by_role("button", name="Take back charlie@example.com").click()
        expect(page.get_by_text(TOLD)).to_be_visible()
        together(lambda: set_up_second_factor(team.owner))
        page.goto("/team/")
        expect(page.locator("#invited")).to_contain_text("charlie@example.com")


def test_whoever_does_not_want_one_can_go(live_server: LiveServer, team: Team) -> None:
    with opened(live_server, team.member) as page:
        page.goto("/")
        page.get_by_role("link", name=f"Leave {team.organization.name}").click()
        page.get_by_role("button", name=f"Leave {team.organization.name}").click()
        expect(page.get_by_text(f"You left {team.organization.name}.")).to_be_visible()
        expect(page.get_by_text(TOLD)).to_be_visible()
