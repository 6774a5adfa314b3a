"""Passkeys in a real browser, with an authenticator that Chromium pretends to have."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.utils import timezone
from playwright.sync_api import CDPSession, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from orgs.models import Organization
from tests.browser import chromium
from tests.browser.looking import faults, opened
from tests.browser.people import PASSWORD, Team

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@contextmanager
def authenticator(page: Page) -> Iterator[tuple[CDPSession, str]]:
    """A fingerprint reader in this device, and a finger that always fits."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    added = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    yield session, added["authenticatorId"]


def add_passkey(page: Page) -> None:
    page.goto("/accounts/2fa/webauthn/add/")
    chromium.confirm_password(page, PASSWORD)
    page.get_by_label("What you call it").fill("My laptop")
    page.get_by_role("button", name="Add it").click()
    page.get_by_text("The passkey is added.").wait_for()


def log_out(page: Page) -> None:
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/accounts/login/")


def test_a_passkey_from_its_making_to_its_end(live_server: LiveServer, team: Team) -> None:
    found = []
    with opened(live_server, team.member) as page, authenticator(page):
        page.goto("/accounts/2fa/webauthn/")
        found += faults(page)
        page.get_by_role("link", name="Add a passkey").click()
        page.wait_for_url("**/reauthenticate/**")
        page.goto("/accounts/2fa/")
        add_passkey(page)
        found += faults(page)
        page.goto("/accounts/2fa/webauthn/add/")
        found += faults(page)

        # Alone.
        log_out(page)
        found += faults(page)
        page.get_by_role("button", name="Use a passkey").click()
        expect(page.get_by_role("heading", level=1)).to_have_text(team.organization.name)

        # After the password.
        log_out(page)
        chromium.log_in(page, team.member.email, PASSWORD)
        found += faults(page)
        page.get_by_role("button", name="Use a passkey").click()
        expect(page.get_by_role("heading", level=1)).to_have_text(team.organization.name)

        # Where it is asked again.
        page.goto("/accounts/2fa/webauthn/")
        found += faults(page)
        page.get_by_role("link", name="Remove My laptop").click()
        page.get_by_role("link", name="Use a passkey").click()
        page.wait_for_url("**/webauthn/reauthenticate/**")
        found += faults(page)
        page.get_by_role("button", name="Use a passkey").click()
        expect(page.get_by_role("heading", name="Remove My laptop?")).to_be_visible()
        found += faults(page)
        page.get_by_role("link", name="Keep it").click()
        page.get_by_role("link", name="Rename My laptop").click()
        page.get_by_role("textbox").fill("Old laptop")
        found += faults(page)
        page.get_by_role("button", name="Save the name").click()
        page.get_by_role("link", name="Remove Old laptop").click()
        page.get_by_role("button", name="Remove it").click()
        expect(page.get_by_text("The passkey is removed.")).to_be_visible()
    assert found == []


def test_a_member_of_a_locked_team_meets_the_lock_screen(
    live_server: LiveServer, team: Team
) -> None:
    with opened(live_server, team.member, refusals=(403,)) as page, authenticator(page):
        add_passkey(page)
        log_out(page)
        lock_later(page, team.organization)
        page.get_by_role("button", name="Use a passkey").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Contact Alice Adams")
        found = faults(page)
    assert found == []


def lock_later(page: Page, organization: Organization) -> None:
    """Playwright's loop runs in this thread, so the database is written in another."""

    def lock() -> None:
        Organization.objects.filter(pk=organization.pk).update(locked_from=timezone.now())

    thread = threading.Thread(target=lock)
    thread.start()
    thread.join()


def test_a_browser_that_gives_no_passkey_is_answered_in_words(
    live_server: LiveServer, team: Team
) -> None:
    with opened(live_server) as page, authenticator(page):
        page.goto("/accounts/login/")
        page.get_by_role("button", name="Use a passkey").click()
        # The device has none.
        expect(page.get_by_role("alert")).to_contain_text("the device gave no passkey")
        found = faults(page)
    assert found == []


def test_at_an_address_without_a_name_the_page_says_so(live_server: LiveServer) -> None:
    with opened(live_server) as page, authenticator(page):
        page.goto(f"{live_server.url}/accounts/login/".replace("localhost", "127.0.0.1"))
        page.get_by_role("button", name="Use a passkey").click()
        expect(page.get_by_role("alert")).to_contain_text("open the site as localhost")


def test_without_javascript_no_button_leads_nowhere(live_server: LiveServer, team: Team) -> None:
    with opened(live_server) as page:
        browser = page.context.browser
        assert browser is not None
        plain = browser.new_page(base_url=live_server.url, java_script_enabled=False)
        chromium.log_in(plain, team.member.email, PASSWORD)
        plain.goto("/accounts/2fa/webauthn/add/")
        chromium.confirm_password(plain, PASSWORD)
        expect(plain.get_by_text("Passkeys need JavaScript")).to_be_visible()
        expect(plain.get_by_role("button", name="Add it")).to_be_hidden()


def test_staff_are_led_to_a_passkey_before_the_admin_opens(
    live_server: LiveServer, staff: User, settings: object
) -> None:
    settings.SECOND_FACTOR_NEEDED_BY = "staff"  # type: ignore[attr-defined]
    with opened(live_server) as page, authenticator(page):
        page.goto("/admin/")
        page.get_by_label("Email").fill(staff.email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("main").get_by_role("button", name="Log in").click()
        expect(page.get_by_text("Staff need a second factor.")).to_be_visible()
        found = faults(page)
        add_passkey(page)
        page.get_by_role("link", name="Admin").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Staff")
    assert found == []
