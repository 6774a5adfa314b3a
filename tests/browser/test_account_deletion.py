"""A copy of one's data, deleting one's account and coming back, in a real browser."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from django.core import mail
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from orgs import services
from orgs.models import Organization
from tests.browser import chromium
from tests.browser.looking import faults, faults_of, opened
from tests.browser.people import PASSWORD, Team

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def download(page: Page) -> dict[str, object]:
    with page.expect_download() as begun:
        page.get_by_role("button", name="Download it").click()
    told: dict[str, object] = json.loads(Path(begun.value.path()).read_text())
    return told


def link_in_the_mail() -> str:
    found = re.search(r"https?://[^/]+(/account/come-back/\S+)", str(mail.outbox[-1].body))
    assert found is not None
    return found.group(1)


def test_a_member_takes_their_data_deletes_their_account_and_comes_back(
    live_server: LiveServer, team: Team
) -> None:
    found = []
    address = team.member.email
    with opened(live_server, team.member, refusals=(422,)) as page:
        page.goto("/account/")
        page.get_by_role("link", name="Download what we hold about you").click()
        chromium.confirm_password(page, PASSWORD)
        found += faults(page)
        told = download(page)
        page.get_by_role("link", name="Delete my account").click()
        found += faults(page)
        page.get_by_label("Your e-mail address").fill("somebody@example.com")
        page.get_by_role("button", name="Delete my account").click()
        expect(page.get_by_text("This is not the address of your account.")).to_be_visible()
        found += faults(page)
        page.get_by_label("Your e-mail address").fill(address)
        page.get_by_role("button", name="Delete my account").press("Enter")
        expect(page.get_by_text("Your account is deleted. Until")).to_be_visible()
        found += faults(page)
        back = link_in_the_mail()
        page.goto(back)
        expect(page.get_by_text("You will be on the team of Acme Shipping & Sons")).to_be_visible()
        found += faults(page)
        page.get_by_label("Password").fill("not this")
        page.get_by_role("button", name="Come back").click()
        expect(page.get_by_text("This is not the password of this account.")).to_be_visible()
        found += faults(page)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Come back").press("Enter")
        expect(page.get_by_text("You are back, on the team of Acme")).to_be_visible()
        chromium.log_in(page, address, PASSWORD)
        expect(page.get_by_role("heading", level=1)).to_have_text(team.organization.name)
    with opened(live_server, refusals=(410,)) as page:
        found += faults_of(page, back)
    assert isinstance(told["person"], dict)
    assert told["person"]["email"] == address
    assert found == []


def test_the_lock_screens_ways_out_have_no_faults(live_server: LiveServer, team: Team) -> None:
    Organization.objects.update(locked_from=timezone.now())
    found = []
    with opened(live_server, refusals=(403,)) as page:
        page.goto("/accounts/login/")
        page.get_by_label("Email").fill(team.member.email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("main").get_by_role("button", name="Log in").click()
        found += faults(page)
        delete_url = page.get_by_role("link", name="Delete my account").get_attribute("href")
        page.get_by_role("link", name="Export my data").click()
        found += faults(page)
        told = download(page)
        assert delete_url is not None
        page.goto(delete_url)
        found += faults(page)
        page.get_by_label("Your e-mail address").fill(team.member.email)
        page.get_by_role("button", name="Delete my account").click()
        expect(page.get_by_text("Your account is deleted. Until")).to_be_visible()
    assert told["person"]
    assert found == []


def test_what_an_owner_meets_has_no_faults(live_server: LiveServer, team: Team) -> None:
    alone = services.sign_up(
        email="olga@example.com",
        password=PASSWORD,
        name="Olga",
        organization_name="Olga's",
        is_email_verified=True,
    )
    found = []
    with opened(live_server, team.owner) as page:
        page.goto("/organization/export/")
        chromium.confirm_password(page, PASSWORD)
        found += faults(page)
        assert download(page)["organization"]
        found += faults_of(page, "/account/delete/", "/account/export/", "/team/")
    with opened(live_server, alone) as page:
        page.goto("/account/delete/")
        chromium.confirm_password(page, PASSWORD)
        page.get_by_label("Close Olga's for good").check()
        page.get_by_label("Your e-mail address").fill(alone.email)
        found += faults(page)
        page.get_by_role("button", name="Delete my account").click()
        expect(page.get_by_text("Your account is deleted. Until")).to_be_visible()
    assert found == []


def test_staff_have_the_data_of_somebody_deleted_erased(
    live_server: LiveServer, team: Team, staff: User
) -> None:
    services.soft_delete(user=team.member, by=staff, reason="Left.")
    with opened(live_server, staff) as page:
        page.goto(f"/admin/accounts/user/{team.member.pk}/change/")
        page.get_by_role("link", name="Erase the data").click()
        page.get_by_label("Reason").fill("Asked for in writing.")
        page.get_by_role("button", name="Erase the data").click()
        expect(page.get_by_text("will be erased, unless they are restored")).to_be_visible()
