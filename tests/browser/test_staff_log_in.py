"""Our own staff come to the admin in a real browser: the first of them, and by an app."""

from __future__ import annotations

import os

import pytest
from django.core.management import call_command
from playwright.sync_api import Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from tests.browser import chromium
from tests.browser.looking import faults, opened
from tests.browser.people import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def log_in(page: Page, email: str) -> None:
    """By the admin's address, as somebody who was told of nothing else."""
    page.goto("/admin/")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Log in").click()


def test_staff_are_led_to_an_app_before_the_admin_opens(
    live_server: LiveServer, staff: User, settings: Settings
) -> None:
    settings.SECOND_FACTOR_NEEDED_BY = "staff"
    with opened(live_server) as page:
        log_in(page, staff.email)
        expect(page.get_by_text("Staff need a second factor.")).to_be_visible()
        page.get_by_role("link", name="Set it up").click()
        chromium.confirm_password(page, PASSWORD)
        secret = chromium.switch_second_factor_on(page)
        page.get_by_role("link", name="Admin").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Staff")
        page.get_by_role("button", name="Log out").click()
        log_in(page, staff.email)
        page.get_by_label("Code").fill(chromium.one_time_code(secret))
        page.get_by_role("main").get_by_role("button", name="Log in").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Staff")


def test_whom_createsuperuser_makes_comes_to_the_admin_at_once(
    live_server: LiveServer, transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    call_command("createsuperuser", interactive=False, email="root@example.com", verbosity=0)
    with opened(live_server) as page:
        log_in(page, "root@example.com")
        expect(page.get_by_role("heading", level=1)).to_have_text("Staff")
        found = faults(page, within="#content")
    assert found == []
