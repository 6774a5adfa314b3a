"""Staff exempt an organization in a real browser, and see what became of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from billing.models import Standing
from tests.browser.looking import faults, opened
from tests.browser.people import Team

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_staff_exempt_an_organization_and_end_it(
    live_server: LiveServer, team: Team, staff: User
) -> None:
    standing = Standing.objects.get(organization=team.organization)
    until = f"{timezone.now() + timedelta(days=3):%Y-%m-%dT%H:%M}"
    with opened(live_server, staff, refusals=(422,)) as page:
        page.goto(f"/admin/billing/standing/{standing.pk}/change/")
        page.get_by_role("link", name="Exempt from billing").click()
        found = faults(page, within="#content")
        page.get_by_label("Until (").fill("2020-01-01T00:00")
        page.get_by_label("Why").fill("Their bank is on strike.")
        page.get_by_role("button", name="Exempt from billing").click()
        expect(page.get_by_text("The end lies in the past.")).to_be_visible()
        found += faults(page, within="#content")
        page.get_by_label("Until (").fill(until)
        page.get_by_label("Tier").select_option(label="Business")
        page.get_by_role("button", name="Exempt from billing").click()
        expect(page.get_by_text("Acme Shipping & Sons is exempt.")).to_be_visible()
        page.get_by_role("link", name="Exempt from billing").click()
        expect(page.get_by_text("Their bank is on strike.")).to_be_visible()
        found += faults(page, within="#content")
        page.get_by_role("button", name="End it now").click()
        expect(page.get_by_text("The exemption has ended.")).to_be_visible()
    assert found == []
    standing.refresh_from_db()
    assert standing.exemption is None
