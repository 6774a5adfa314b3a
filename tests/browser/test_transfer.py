"""Handing an organization on in a real browser, from the owner's request to the record."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from orgs.models import OwnershipTransfer
from tests.browser import chromium
from tests.browser.looking import faults, faults_of, opened
from tests.browser.people import PASSWORD, Team

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WISH = "I leave the company in June."
REASON = "Asked for by the owner, and confirmed on the phone."


def test_a_transfer_from_request_to_record(
    live_server: LiveServer, team: Team, staff: User
) -> None:
    slug = team.organization.slug
    with opened(live_server, team.owner) as page:
        assert owners_buttons(page) == 2
        page.get_by_role("link", name="Hand over ownership").click()
        chromium.fill_in_request(page, to=team.member.email, reason=WISH)
        chromium.send_request(page)
        expect(page.get_by_role("main")).to_contain_text("Until our staff have answered")
        assert faults(page) == []
    with opened(live_server, staff, refusals=(422,)) as page:
        content = page.locator("#content")
        look_at_the_transfer(page)
        expect(page.get_by_role("status")).to_contain_text("needs a second factor")
        assert faults(page) == []
        page.get_by_role("link", name="Set it up").click()
        chromium.confirm_password(page, PASSWORD)
        chromium.switch_second_factor_on(page)
        look_at_the_transfer(page)
        expect(content).to_contain_text(WISH)
        expect(content).to_contain_text("Stays a member of the team.")
        chromium.confirm_transfer(page, slug=f"{slug}-not", reason=REASON)
        expect(content).to_contain_text("Nothing was changed.")
        expect(content).to_contain_text("This is not the organization's slug.")
        chromium.confirm_transfer(page, slug=slug, reason=REASON)
        expect(page.get_by_role("heading", level=1)).to_have_text("View transfer of ownership")
        expect(content).to_contain_text(REASON)
        page.get_by_role("link", name="All transfers of this organization").click()
        expect(content).to_contain_text("1 transfer of ownership")
        open_the_queue(page)
        expect(content).to_contain_text("0 requests for a transfer of ownership")
    with opened(live_server, team.owner) as page:
        assert owners_buttons(page) == 0
        assert faults_of(page, "/organization/transfer/") == []
    with opened(live_server, team.member) as page:
        assert owners_buttons(page) == 2
    transfer = OwnershipTransfer.objects.get()
    assert (transfer.from_owner, transfer.to_owner) == (team.owner, team.member)
    assert (transfer.performed_by, transfer.reason) == (staff, REASON)


def open_the_queue(page: Page) -> None:
    page.goto("/admin/")
    page.get_by_role("link", name="Requests for a transfer of ownership", exact=True).click()


def look_at_the_transfer(page: Page) -> None:
    open_the_queue(page)
    page.get_by_role("link", name="Look at the transfer").click()


def owners_buttons(page: Page) -> int:
    """Count what the pages offer to nobody but the owner. Ends where ownership is handed over."""
    page.goto("/team/")
    invitations = page.get_by_role("button", name="Send the invitation").count()
    page.goto("/organization/")
    return invitations + page.get_by_role("link", name="Hand over ownership").count()
