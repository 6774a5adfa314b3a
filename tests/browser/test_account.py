"""One's own account in a real browser: name, address, sessions, and what says no."""

from __future__ import annotations

import re

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from tests.browser import chromium
from tests.browser.looking import faults, opened
from tests.browser.people import PASSWORD, Team

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LONG = "bob.with.a.new.and.even.longer.address@shipping-and-sons.example.com"


def test_name_and_address_are_changed_by_their_pages(live_server: LiveServer, team: Team) -> None:
    found = []
    with opened(live_server, team.member, refusals=(422,)) as page:
        page.goto("/")
        page.get_by_role("navigation").get_by_role("link", name="Account").click()
        found += faults(page)
        page.get_by_label("Your name").fill("Robert Brown")
        page.get_by_role("button", name="Save the name").click()
        expect(page.get_by_text("Your name is saved.")).to_be_visible()
        found += faults(page)

        page.get_by_role("link", name="Change the e-mail address").click()
        found += faults(page)
        page.get_by_label("Email").fill(LONG)
        page.get_by_role("button", name="Send the code").click()
        chromium.confirm_password(page, PASSWORD)
        expect(page.get_by_text(LONG).first).to_be_visible()
        found += faults(page)
        code = re.search(r"^([A-Z0-9]{3,}-?[A-Z0-9]{3,})$", str(mail.outbox[-1].body), re.M)
        assert code is not None
        page.get_by_label("Code").fill(code[1])
        page.get_by_role("button", name="Confirm").click()
        page.wait_for_url("**/account/")
        expect(page.get_by_text(LONG).first).to_be_visible()
        found += faults(page)
    assert found == []


def test_logging_out_elsewhere(live_server: LiveServer, team: Team) -> None:
    elsewhere = Client(HTTP_USER_AGENT="Firefox/128.0 Linux")
    form = {"login": team.member.email, "password": PASSWORD}
    elsewhere.post(reverse("account_login"), form)
    with opened(live_server) as page:
        chromium.log_in(page, team.member.email, PASSWORD)
        page.goto("/account/")
        page.get_by_role("link", name="Look where you are logged in").click()
        expect(page.get_by_text("Firefox on Linux")).to_be_visible()
        found = faults(page)
        page.get_by_role("button", name="Log out elsewhere").click()
        chromium.confirm_password(page, PASSWORD)
        expect(page.get_by_text("You are logged out everywhere else.")).to_be_visible()
        expect(page.get_by_text("Firefox on Linux")).to_be_hidden()
        expect(page.get_by_text("This one")).to_be_visible()
    assert found == []
    assert elsewhere.get(reverse("accounts:account")).status_code == 302


def test_too_many_attempts_are_answered_on_a_page_without_faults(live_server: LiveServer) -> None:
    client = Client()
    for _ in range(30):
        client.post(reverse("account_login"), {"login": "x", "password": "x"})
    with opened(live_server, refusals=(429,)) as page:
        page.goto("/accounts/login/")
        page.get_by_label("Email").fill("zoe@example.com")
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("main").get_by_role("button", name="Log in").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Too many attempts")
        found = faults(page)
    assert found == []


def test_after_five_wrong_passwords_the_sixth_is_refused_in_words_even_if_it_is_right(
    live_server: LiveServer, team: Team
) -> None:
    client = Client()
    for _ in range(5):
        client.post(reverse("account_login"), {"login": team.member.email, "password": "wrong"})
    with opened(live_server) as page:
        page.goto("/accounts/login/")
        page.get_by_label("Email").fill(team.member.email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("main").get_by_role("button", name="Log in").click()
        expect(page.get_by_text("Too many failed login attempts.")).to_be_visible()
        found = faults(page)
    assert found == []
