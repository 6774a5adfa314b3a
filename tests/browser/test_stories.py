"""Whole stories in a real browser, from a person's first click to what they came for, with Stripe's
stand-in behind them and its events arriving."""

from __future__ import annotations

import re
from copy import deepcopy

import pytest
from django.core import mail
from playwright.sync_api import Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from tests.browser.looking import opened, windows
from tests.browser.people import PASSWORD
from tests.cast import Cast
from tests.payer import Payer
from tests.sandbox_process import SandboxProcess

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

GOOD = "4242424242424242"
FAILS_LATER = "4000000000000341"
# More than any page has between its top and what is sought.
MOST_TABS = 80


@pytest.fixture(autouse=True)
def stripe_is_where_forms_may_lead(wired_account: SandboxProcess, settings: Settings) -> None:
    """As with STRIPE_API_HOST in the environment, which settings read when they are loaded."""
    policy = deepcopy(settings.CONTENT_SECURITY_POLICY)
    policy["DIRECTIVES"]["form-action"].append(wired_account.url)
    settings.CONTENT_SECURITY_POLICY = policy


def tab_to(page: Page, words: str) -> None:
    """Press Tab until what is called so has the focus, as somebody without a mouse does."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if words in page.evaluate(
            """() => {
                const { labels, textContent } = document.activeElement;
                return [...(labels ?? [])].map((each) => each.textContent).join(" ") + textContent;
            }"""
        ):
            return
    raise AssertionError(f"the keyboard does not lead to {words!r} on {page.url}")


def pay_at_checkout(page: Page, card: str = GOOD) -> None:
    page.get_by_label("Card number").fill(card)
    page.get_by_role("button", name="Subscribe").click()


def test_from_sign_up_to_a_paid_plan(live_server: LiveServer, wired_payer: Payer) -> None:
    with opened(live_server) as page:
        page.goto("/")
        page.get_by_role("link", name="Start, then choose Pro").click()
        page.get_by_label("Your name").fill("Zoe Zander")
        page.get_by_label("Organization").fill("Zoo")
        page.get_by_label("Email").fill("zoe@example.com")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("main").get_by_role("button", name="Sign up").click()
        page.get_by_label("Code").wait_for()
        sent = [each for each in mail.outbox if each.to == ["zoe@example.com"]]
        code = re.search(r"^([A-Z0-9]{3,}-?[A-Z0-9]{3,})$", str(sent[-1].body), re.M)
        assert code is not None
        page.get_by_label("Code").fill(code[1])
        page.get_by_role("main").get_by_role("button").first.click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Zoo")
        page.get_by_role("link", name="Plan and billing").click()
        page.get_by_role("button", name="Choose Pro, €19 a month").click()
        pay_at_checkout(page)
        expect(page.locator("main")).to_contain_text("Visa ending in 4242")
        expect(page.locator(".brand")).to_contain_text("Pro")


def test_a_failed_payment_locks_the_team_and_paying_lets_it_back_in(
    live_server: LiveServer, wired_payer: Payer, cast: Cast
) -> None:
    wired_payer.subscribe()
    wired_payer.change_card(FAILS_LATER)
    wired_payer.advance(32)
    with windows(live_server, cast.alice, cast.bob, refusals=(402, 403)) as (owner, member):
        member.goto("/")
        expect(member.get_by_role("heading", level=1)).to_have_text(
            "Your organization is past due. Contact Alice Adams to resolve billing."
        )
        owner.goto("/")
        expect(owner.locator(".banner")).to_contain_text("Your organization is past due")
        expect(owner.locator(".brand")).to_contain_text("Locked")
        # Two clicks: to Stripe, and to pay. The card is given between them.
        owner.get_by_role("button", name="Update payment info").click()
        owner.get_by_label("New card number").fill(GOOD)
        owner.get_by_role("button", name="Update card").click()
        owner.get_by_role("button", name=re.compile("^Pay")).first.click()
        owner.get_by_role("link", name=re.compile("^Return to")).click()
        expect(owner.locator(".banner")).to_have_count(0)
        member.get_by_role("link", name="Try again").click()
        expect(member.get_by_role("heading", level=1)).to_have_text(cast.acme.name)


def test_an_invitation_is_sent_and_accepted(live_server: LiveServer, cast: Cast) -> None:
    with windows(live_server, cast.alice, None) as (owner, guest):
        owner.goto("/team/")
        owner.get_by_label("E-mail address").fill("eve@example.com")
        owner.get_by_role("button", name="Send the invitation").click()
        expect(owner.get_by_text("We sent an invitation to eve@example.com.")).to_be_visible()
        link = re.search(r"https?://[^/]+(/invitations/\S+)", str(mail.outbox[-1].body))
        assert link is not None
        guest.goto(link[1])
        guest.get_by_label("Your name").fill("Eve Evans")
        guest.get_by_label("Password").fill(PASSWORD)
        guest.get_by_role("main").get_by_role("button").first.click()
        expect(guest.get_by_role("heading", level=1)).to_have_text(cast.acme.name)
        owner.reload()
        expect(owner.locator("#found")).to_contain_text("Eve Evans")
        expect(owner.locator("#invited")).not_to_contain_text("eve@example.com")


def test_the_portal_there_and_back(live_server: LiveServer, wired_payer: Payer, cast: Cast) -> None:
    wired_payer.subscribe()
    wired_payer.sync()
    with opened(live_server, cast.alice) as page:
        page.goto("/billing/")
        page.get_by_role("button", name="Manage billing").click()
        page.get_by_role("button", name="Cancel plan").click()
        page.get_by_role("link", name=re.compile("^Return to")).click()
        expect(page.locator(".banner")).to_contain_text("Pro ends on")
        page.locator(".banner").get_by_role("button", name="Resume the plan").click()
        expect(page.get_by_text("Your plan goes on.")).to_be_visible()
        expect(page.locator(".banner")).to_have_count(0)
        page.get_by_role("button", name="Switch Business, €49 a month").click()
        page.get_by_role("button", name="Go on to Stripe to confirm").click()
        page.get_by_role("button", name="Confirm").click()
        expect(page.locator(".brand")).to_contain_text("Business")


def test_the_whole_by_keyboard(live_server: LiveServer, wired_payer: Payer, cast: Cast) -> None:
    """Log in, invite, choose a plan, pay, look at it and log out, without a mouse."""
    with opened(live_server) as page:
        page.goto("/")
        tab_to(page, "Skip to the content")
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        tab_to(page, "Start for free")
        page.goto("/accounts/login/")
        tab_to(page, "Email")
        page.keyboard.type(cast.alice.email)
        tab_to(page, "Password")
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text(cast.acme.name)
        tab_to(page, "Team")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Team")
        tab_to(page, "E-mail address")
        page.keyboard.type("eve@example.com")
        page.keyboard.press("Enter")
        expect(page.locator("#invited")).to_contain_text("eve@example.com")
        expect(page.get_by_label("E-mail address")).to_be_focused()
        page.goto("/billing/")
        tab_to(page, "Pro, €19 a month")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_contain_text("Subscribe to")
        tab_to(page, "Card number")
        page.keyboard.type(GOOD)
        page.keyboard.press("Enter")
        expect(page.locator("main")).to_contain_text("Visa ending in 4242")
        tab_to(page, "Log out")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Log in")
