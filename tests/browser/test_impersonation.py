"""Staff look at the product as somebody, in a real browser: the form, the banner, the way back."""

from __future__ import annotations

import pytest
from django.utils import timezone
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from orgs.models import Organization
from tests.browser import chromium
from tests.browser.looking import faults_of, opened
from tests.browser.people import PASSWORD, Team
from tests.second_factor import set_up_second_factor

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_staff_go_on_as_a_locked_member_look_are_refused_and_come_back(
    live_server: LiveServer, team: Team, staff: User
) -> None:
    Organization.objects.update(locked_from=timezone.now())
    set_up_second_factor(staff)
    here = f"/admin/accounts/user/{team.member.pk}"
    found = []
    with opened(live_server, staff, refusals=(403, 404)) as page:
        page.goto(f"{here}/change/")
        page.get_by_role("link", name="Impersonate").click()
        chromium.confirm_password(page, PASSWORD)
        page.get_by_label("Reason").fill("Ticket 42. " + "Averylongwordwithoutanyspace" * 6)
        page.get_by_role("button", name="Impersonate").click()
        expect(page.get_by_text("You see Holdfast as")).to_be_visible()
        found += faults_of(page, "/", "/team/", "/billing/", "/no/such/page/", "/admin/")
        expect(page.get_by_text("Not while you impersonate somebody")).to_be_visible()

        page.goto("/team/")
        page.get_by_role("button", name="Stop impersonating").press("Enter")
        expect(page.get_by_text("and are yourself again.")).to_be_visible()
        page.go_back()
        expect(page.get_by_text("You see Holdfast as")).to_have_count(0)
    assert found == []
