"""Staff's page of revenue in a real browser: drawn, read by everybody, and followed to the rows."""

from __future__ import annotations

import pytest
from django.utils import timezone
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from accounts import services as accounts
from accounts.events import Event
from accounts.models import User
from billing import services
from billing.models import Standing, Status
from tests.browser.looking import faults, opened
from tests.browser.people import Team

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

CHART = "Chart.getChart('chart').data.datasets"


@pytest.fixture
def paying(team: Team) -> Team:
    recurring = {"currency": "eur", "amount": 1900}
    pays = {"status": "current", "tier": "pro", "subscription": "sub_1", "recurring": recurring}
    accounts.record_event(
        Event.STANDING_CHANGED,
        organization_id=team.organization.pk,
        data={"before": {"recurring": None}, "after": pays},
    )
    Standing.objects.update(
        status=Status.CURRENT,
        recurring_currency="eur",
        recurring_amount=1900,
        reason="unmapped_price",
    )
    services.count_revenue(now=timezone.now())
    return team


def test_revenue_is_drawn_and_each_number_leads_to_its_rows(
    live_server: LiveServer, paying: Team, staff: User
) -> None:
    with opened(live_server, staff) as page:
        page.goto("/admin/")
        waiting = page.get_by_role("listitem").filter(has_text="a price of no tier: 1")
        expect(waiting).to_contain_text("Add the price to a tier")
        assert faults(page, within="#content-main") == []
        page.get_by_role("link", name="Revenue", exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Revenue")
        assert page.evaluate(f"{CHART}.map(line => line.data.at(-1))") == [1, 0, 0, 0, 0, 0]
        dashes, colours = (
            page.evaluate(f"{CHART}.map(line => String(line.{look}))")
            for look in ("borderDash", "borderColor")
        )
        assert len(set(zip(dashes, colours, strict=True))) == 6
        assert faults(page, within="#content") == []
        table = page.get_by_role("table", name="Change of recurring revenue by month in EUR")
        table.get_by_role("link", name="+€19 (1)").click()
        expect(page.get_by_text("1 movement of revenue")).to_be_visible()
        page.get_by_role("link", name="Revenue", exact=True).click()
        page.get_by_role("link", name="€19", exact=True).click()
        expect(page.get_by_text("1 standing", exact=True)).to_be_visible()
