"""The admin in our colours, in a real browser: its front page, lists and pages, light and dark."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from djstripe.models import Customer, Subscription
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts import services as accounts
from accounts.events import Event
from accounts.models import User
from billing import services
from billing.models import Standing, Status
from orgs.models import Organization, Tier
from tests.browser.looking import faults, opened
from tests.browser.people import Team

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WIDTHS = (320, 768, 1280)
# What is ours in a list. The search beside it is Django's, label and all.
LIST = ".object-tools, #changelist-filter, .results"


@pytest.fixture
def lapsed(team: Team) -> Team:
    """It paid, owes now, and is locked since an hour ago."""
    organization, now = team.organization, timezone.now()
    customer = Customer.objects.create(id="cus_NffrFeUfNV2Hib", email=team.owner.email)
    subscription = Subscription.objects.create(
        id="sub_1MowQVLkdIwHu7ix",
        customer=customer,
        stripe_data={"id": "sub_1MowQVLkdIwHu7ix", "status": "unpaid", "items": {"data": []}},
    )
    Organization.objects.update(
        stripe_customer=customer,
        tier=Tier.objects.get(key="pro"),
        locked_from=now - timedelta(hours=1),
    )
    Standing.objects.update(
        status=Status.LAPSED,
        reason="unpaid",
        subscription=subscription,
        recurring_currency="eur",
        recurring_amount=1900,
        sync_requested_at=None,
        synced_at=now,
    )
    recurring = {"currency": "eur", "amount": 1900}
    pays = {"subscription": subscription.id, "tier": "pro", "recurring": recurring}
    accounts.record_event(
        Event.STANDING_CHANGED,
        organization_id=organization.pk,
        data={"before": {"recurring": None}, "after": pays | {"status": "current"}},
    )
    services.count_revenue(now=now)
    return team


def test_the_front_page_tells_what_staff_come_for_and_leads_there(
    live_server: LiveServer, lapsed: Team, staff: User
) -> None:
    with opened(live_server, staff) as page:
        page.goto("/admin/")
        first = page.locator("#content-main .module").first
        expect(first.get_by_role("heading")).to_have_text("What needs a human")
        expect(first).to_contain_text("Organizations locked in the last 24 hours: 1")
        bars = page.evaluate("Chart.getChart('standings-chart').data.datasets[0]")
        assert bars["data"] == [0, 0, 0, 1]
        assert len(set(bars["backgroundColor"])) == 4
        table = page.get_by_role("table", name="Organizations by standing")
        expect(table.get_by_role("row", name="Lapsed 1")).to_be_visible()
        # What was paid is owed now, so that nothing is paid.
        paid = "Chart.getChart('months-chart').data.datasets.map(line => line.data.at(-1))"
        assert page.evaluate(paid) == [0]
        found = faults(page, within="#content")
        page.get_by_role("link", name="Locked today 1").click()
        expect(page.locator("#result_list tbody th")).to_have_text([lapsed.organization.name])
        expect(page.locator("#result_list .chip-bad").first).to_have_text("Lapsed")
        page.go_back()
        table.get_by_role("link", name="1", exact=True).click()
        expect(page.get_by_text("1 standing", exact=True)).to_be_visible()
    assert found == []


def test_charts_are_painted_anew_when_the_switch_is_turned(
    live_server: LiveServer, lapsed: Team, staff: User
) -> None:
    """Light where the system is dark, and dark where it is light: the switch decides."""
    bar = "Chart.getChart('standings-chart').data.datasets[0].backgroundColor[3]"
    with opened(live_server, staff) as page:
        page.emulate_media(color_scheme="light", reduced_motion="reduce")
        page.goto("/admin/")
        light = page.evaluate(bar), ground(page)
        assert light == ("rgb(143, 29, 20)", "rgb(255, 255, 255)")
        for scheme, theme in (("dark", "auto"), ("light", "dark")):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
            page.wait_for_function(f"{bar} === 'rgb(255, 185, 177)'")
            assert ground(page) == "rgb(18, 24, 23)"
        page.emulate_media(color_scheme="dark")
        page.evaluate("document.documentElement.dataset.theme = 'light'")
        page.wait_for_function(f"{bar} === 'rgb(143, 29, 20)'")
        assert (page.evaluate(bar), ground(page)) == light


def ground(page: Page) -> str:
    return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))


@pytest.fixture
def pages(lapsed: Team) -> dict[str, str]:
    """A part of each page that is ours to be looked at, by its address."""
    organization = lapsed.organization
    standing = Standing.objects.get(organization=organization)
    subscription = Subscription.objects.get()
    return {
        reverse("admin:index"): "#content",
        reverse("admin:orgs_organization_changelist"): LIST,
        reverse("admin:orgs_organization_changelist") + "?on=2020-02": LIST,
        reverse("admin:accounts_user_changelist"): LIST,
        reverse("admin:billing_standing_changelist"): LIST,
        reverse("admin:accounts_usereventlog_changelist"): LIST,
        reverse("admin:orgs_organization_change", args=[organization.pk]): "#content",
        reverse("admin:accounts_user_change", args=[lapsed.owner.pk]): "#content",
        reverse("admin:billing_standing_change", args=[standing.pk]): "#content",
        reverse("admin:djstripe_subscription_change", args=[subscription.pk]): "#content",
        reverse("admin:billing_movement_revenue"): "#content",
    }


def test_every_page_can_be_read_in_each_size_and_scheme(
    live_server: LiveServer, staff: User, pages: dict[str, str]
) -> None:
    found = []
    with opened(live_server, staff) as page:
        for address, ours in pages.items():
            page.goto(address)
            # Around it is Django's frame, in our colours.
            found += faults(page, within=f"#header, .breadcrumbs, {ours}", widths=WIDTHS)
    assert found == []
