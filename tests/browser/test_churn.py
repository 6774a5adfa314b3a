"""Staff find in the lists of the admin who stays away, in a real browser."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from djstripe.models import Customer, Subscription
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from billing.models import Standing, Status
from orgs import services
from tests.browser.looking import faults, opened
from tests.browser.people import PASSWORD, Team

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# What is ours in a list of the admin. The search beside it is Django's, label and all.
OURS = ".object-tools, #changelist-filter, .results"


def was_active(person: User, *, days_ago: float) -> None:
    moment = timezone.now() - timedelta(days=days_ago)
    User.objects.filter(pk=person.pk).update(last_active=moment)


def test_staff_find_people_by_when_they_were_active(
    live_server: LiveServer, team: Team, staff: User
) -> None:
    dana, alice, bob = staff.email, team.owner.email, team.member.email
    was_active(staff, days_ago=0.5)
    was_active(team.owner, days_ago=8)
    was_active(team.member, days_ago=45)
    expected = {
        "In the last day": [dana],
        "In the last 7 days": [dana],
        "In the last 30 days": [dana, alice],
        "In the last 90 days": [dana, alice, bob],
        "Dormant: not for 30 days": [bob],
        "Never": [],
    }
    with opened(live_server, staff) as page:
        page.goto("/admin/accounts/user/")
        for words, people in expected.items():
            page.get_by_role("link", name=words, exact=True).click()
            chosen = page.locator("#changelist-filter .selected")
            expect(chosen.get_by_text(words, exact=True)).to_be_visible()
            expect(page.locator("#result_list tbody th")).to_have_text(people)
        page.get_by_role("link", name="Dormant: not for 30 days").click()
        found = faults(page, within=OURS)
        # What they were looked for by is to be seen without moving the table.
        expect(page.locator("#result_list tbody .field-last_active")).to_be_in_viewport(ratio=1)
    assert found == []


def test_staff_find_the_organizations_at_risk(
    live_server: LiveServer, team: Team, staff: User
) -> None:
    customer = Customer.objects.create(id="cus_acme")
    subscription = Subscription.objects.create(id="sub_acme", customer=customer)
    Standing.objects.filter(organization=team.organization).update(
        status=Status.CURRENT, subscription=subscription
    )
    was_active(team.owner, days_ago=45)
    was_active(team.member, days_ago=31)
    # Nobody is there either, and it pays nothing.
    services.sign_up(email="z@example.com", password=PASSWORD, name="Zoe", organization_name="Zoo")
    with opened(live_server, staff) as page:
        page.goto("/admin/orgs/organization/activity/")
        page.get_by_role("link", name="Organizations at risk").click()
        expect(page.locator("#result_list tbody th")).to_have_text([team.organization.name])
        found = faults(page, within=OURS)
        with page.expect_download() as download:
            page.get_by_role("link", name="Download this list as CSV").click()
        told = download.value.path().read_text("utf-8-sig")
        page.locator("#result_list tbody th a").click()
        page.get_by_role("link", name="Exempt from billing").wait_for()
    assert found == []
    assert team.owner.email in told
