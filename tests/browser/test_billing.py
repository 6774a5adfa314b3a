"""The billing page and support's page, in a real browser, with Stripe's stand-in behind them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from billing import services
from billing.models import PayerMail
from orgs import clock
from tests.browser.looking import faults, opened
from tests.cast import Cast
from tests.payer import Payer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

FAILS_LATER = "4000000000000341"


@pytest.fixture
def paying(payer: Payer, live_server: LiveServer, settings: Settings) -> Payer:
    settings.BASE_URL = live_server.url
    payer.subscribe()
    payer.sync()
    return payer


def test_the_owner_looks_at_the_plan_at_a_change_and_cancels_and_resumes(
    live_server: LiveServer, paying: Payer, cast: Cast
) -> None:
    with opened(live_server, cast.alice) as page:
        page.goto("/billing/")
        expect(page.get_by_text("€19 a month").first).to_be_visible()
        expect(page.get_by_role("link", name=re.compile("PDF"))).to_be_visible()
        found = faults(page)
        page.get_by_role("button", name="Switch Business, €49 a month").click()
        expect(page.get_by_role("heading", name="Change to Business")).to_be_visible()
        found += faults(page)
        page.get_by_role("link", name="Back").click()
        page.get_by_role("button", name="Cancel the plan").click()
        expect(page.get_by_text("Your plan ends with what is paid.")).to_be_visible()
        page.get_by_role("main").get_by_role("button", name="Resume the plan").click()
        expect(page.get_by_text("Your plan goes on.")).to_be_visible()
    assert found == []


def test_support_reads_the_story_syncs_and_sees_the_mail(
    live_server: LiveServer, paying: Payer, cast: Cast
) -> None:
    paying.change_card(FAILS_LATER)
    paying.advance(32)
    paying.sync()
    services.send_payer_mails(now=clock.now())
    mail: Any = PayerMail.objects.get(kind="payment_failed")
    with opened(live_server, cast.dana) as page:
        page.goto(f"/admin/orgs/organization/{cast.acme.pk}/change/")
        expect(page.locator("#answer-unlock")).to_contain_text("the owner does, under Billing")
        found = faults(page, within="#billing")
        page.get_by_role("button", name="Sync now").click()
        expect(page.get_by_text("Synced: this is what Stripe says now.")).to_be_visible()
        page.goto(f"/admin/billing/payermail/{mail.pk}/change/")
        inside = page.frame_locator("iframe")
        expect(inside.get_by_text("We could not collect €19.")).to_be_visible()
        found += faults(page, within="#content")
    assert found == []
