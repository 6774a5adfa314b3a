"""The pages in a real browser: no accessibility violation, a silent console, nothing cut off."""

from __future__ import annotations

import pytest
from django.utils import timezone
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from orgs.models import Organization
from tests.browser import chromium
from tests.browser.looking import faults, faults_of, opened
from tests.browser.people import PASSWORD, Team

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def lock(organization: Organization) -> None:
    Organization.objects.filter(pk=organization.pk).update(locked_from=timezone.now())


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
            page,
            "/",
            "/team/",
            "/team/roles/",
            "/organization/",
            f"/team/members/{team.member.pk}/remove/",
            "/organization/leave/",
            "/billing/",
            "/billing/close-organization/",
            "/organization/transfer/",
            "/accounts/email/",
            "/accounts/password/change/",
            "/accounts/2fa/",
        )
    assert found == []


def test_pages_for_a_member_have_no_faults(live_server: LiveServer, team: Team) -> None:
    pages = ("/", "/team/", "/team/roles/", "/organization/", "/organization/leave/")
    with opened(live_server, team.member, refusals=(403,)) as page:
        found = faults_of(page, *pages, "/billing/")
    assert found == []


def test_a_second_factor_from_its_key_to_the_next_log_in_has_no_faults(
    live_server: LiveServer, team: Team
) -> None:
    found = []
    with opened(live_server, team.member) as page:
        page.goto("/accounts/2fa/totp/activate/")
        found += faults(page)
        chromium.confirm_password(page, PASSWORD)
        page.get_by_label("Authenticator code").fill("not a code")
        page.get_by_role("button", name="Switch it on").click()
        expect(page.get_by_text("Incorrect code.")).to_be_visible()
        found += faults(page)
        secret = chromium.switch_second_factor_on(page)
        codes = page.get_by_role("listitem").locator("code").all_inner_texts()
        found += faults(page)
        found += faults_of(
            page,
            "/accounts/2fa/",
            "/accounts/2fa/recovery-codes/generate/",
            "/accounts/2fa/totp/deactivate/",
            "/accounts/2fa/reauthenticate/",
        )
        page.get_by_role("link", name="Use your password").click()
        page.wait_for_url("**/accounts/reauthenticate/")
        found += faults(page)
        page.get_by_role("button", name="Log out").click()
        page.wait_for_url("**/accounts/login/")
        chromium.log_in(page, team.member.email, PASSWORD)
        found += faults(page)
        page.get_by_label("Code").fill(chromium.one_time_code(secret))
        page.get_by_role("main").get_by_role("button", name="Log in").click()
        expect(page.get_by_role("heading", level=1)).to_have_text(team.organization.name)
    assert len(set(codes)) == 10
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
    with opened(live_server, team.member, refusals=(403,)) as page:
        found = faults_of(page, "/")
        page.get_by_role("button", name="Log out").press("Enter")
        page.wait_for_url("**/accounts/login/")
    assert found == []
