"""Parts of a page change without a reload: where the focus goes, what is announced, what stays."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone
from playwright.sync_api import Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from orgs import services
from orgs.models import Organization, Role, Tier
from tests.browser.looking import faults, opened
from tests.browser.people import Team
from tests.together import together

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@contextmanager
def not_reloaded(page: Page) -> Iterator[None]:
    page.evaluate("window.isSamePage = true")
    yield
    assert page.evaluate("window.isSamePage") is True


def test_inviting_by_keyboard_leads_back_to_the_field_for_the_next(
    live_server: LiveServer, team: Team
) -> None:
    with opened(live_server, team.owner, refusals=(422,)) as page:
        page.goto("/team/")
        address = page.get_by_label("E-mail address")
        with not_reloaded(page):
            address.fill("dave@example.com")
            address.press("Enter")
            expect(page.locator("#messages")).to_contain_text("We sent an invitation")
            expect(address).to_be_focused()
            expect(address).to_have_value("")
            expect(page.locator("#invited")).to_contain_text("dave@example.com")
            address.fill(team.owner.email)
            address.press("Enter")
            expect(page.get_by_text("This person is on your team already.")).to_be_visible()
            expect(address).to_be_focused()
            expect(address).to_have_attribute("aria-invalid", "true")
            expect(page.locator("#messages")).to_be_empty()
            found = faults(page)
        page.reload()
        expect(page.locator("#invited")).to_contain_text("dave@example.com")
    assert found == []


def test_taking_an_invitation_back_leaves_the_focus_in_the_list(
    live_server: LiveServer, team: Team
) -> None:
    with opened(live_server, team.owner) as page:
        page.goto("/team/")
        with not_reloaded(page):
            page.get_by_role("button", name="Take back charlie@example.com").press("Enter")
            expect(page.get_by_text("The invitation to charlie@example.com is")).to_be_visible()
            expect(page.get_by_role("heading", name="Invitations")).to_be_focused()
        assert page.url.endswith("/team/")


def test_a_role_is_given_and_taken_while_the_filter_and_what_is_typed_stay(
    live_server: LiveServer, team: Team
) -> None:
    with opened(live_server, team.owner) as page:
        page.goto("/team/")
        page.get_by_label("E-mail address").fill("half typed")
        members = page.locator("#found tbody tr")
        with not_reloaded(page):
            page.get_by_label("Name or e-mail").press_sequentially("bob")
            expect(members).to_have_count(1)
            expect(page.get_by_label("Name or e-mail")).to_be_focused()
            assert "q=bob" in page.url
            choice = page.get_by_label(re.compile("Role for bob"))
            choice.select_option("Billing viewer")
            page.get_by_role("button", name="Give").press("Enter")
            expect(members.locator(".chip")).to_have_text(["Billing viewer"])
            expect(members).to_have_count(1)
            page.get_by_role("button", name=re.compile("Take away Billing viewer")).click()
            expect(members.get_by_text("No role")).to_be_visible()
            expect(page.get_by_role("heading", name="Members")).to_be_focused()
            expect(page.get_by_label("E-mail address")).to_have_value("half typed")
        page.go_back()
        expect(members).to_have_count(2)


def test_the_activity_is_filtered_as_one_types(live_server: LiveServer, team: Team) -> None:
    Organization.objects.update(tier=Tier.objects.get(key="business"))
    with opened(live_server, team.owner) as page:
        page.goto("/organization/activity/")
        lines = page.locator("#lines tbody tr")
        expect(lines.first).to_be_visible()
        with not_reloaded(page):
            page.get_by_label("Name or e-mail").press_sequentially("nobody like that")
            expect(page.get_by_text("No line is like that.")).to_be_visible()


def test_somebody_logged_out_meanwhile_comes_to_the_log_in(
    live_server: LiveServer, team: Team
) -> None:
    with opened(live_server, team.owner) as page:
        page.goto("/team/")
        together(Session.objects.all().delete)
        page.get_by_role("button", name="Take back charlie@example.com").click()
        expect(page.get_by_role("heading", name="Log in")).to_be_visible()


def test_somebody_locked_out_meanwhile_sees_the_lock_screen(
    live_server: LiveServer, team: Team
) -> None:
    role = Role.objects.get(key="admin", organization=None)
    services.assign_role(user=team.member, role=role, by=team.owner, now=timezone.now())
    with opened(live_server, team.member, refusals=(403,)) as page:
        page.goto("/team/")
        together(lambda: Organization.objects.update(locked_from=timezone.now()))
        page.get_by_role("button", name="Take back charlie@example.com").click()
        expect(page.get_by_role("heading", name="What this means for you")).to_be_visible()


def test_somebody_whose_role_was_taken_meanwhile_reads_why_not(
    live_server: LiveServer, team: Team
) -> None:
    role = Role.objects.get(key="admin", organization=None)
    services.assign_role(user=team.member, role=role, by=team.owner, now=timezone.now())
    with opened(live_server, team.member, refusals=(403,)) as page:
        page.goto("/team/")
        together(
            lambda: services.revoke_role(
                user=team.member, role=role, by=team.owner, now=timezone.now()
            )
        )
        page.get_by_role("button", name="Take back charlie@example.com").click()
        expect(page.locator("#messages")).to_contain_text("Your role does not include this.")


def test_without_an_answer_the_page_says_so_and_loses_nothing(
    live_server: LiveServer, team: Team
) -> None:
    def fail(route: Route) -> None:
        route.abort() if route.request.method == "POST" else route.continue_()

    with opened(live_server, team.owner, complaints=("htmx:", "ERR_FAILED")) as page:
        page.goto("/team/")
        page.route("**/team/**", fail)
        page.get_by_label("E-mail address").fill("dave@example.com")
        page.get_by_role("button", name="Send the invitation").click()
        expect(page.locator("#messages")).to_contain_text("That did not work.")
        expect(page.get_by_label("E-mail address")).to_have_value("dave@example.com")


def test_all_of_it_works_without_javascript(live_server: LiveServer, team: Team) -> None:
    with opened(live_server, team.owner, has_javascript=False) as page:
        page.goto("/team/")
        page.get_by_label("E-mail address").fill("dave@example.com")
        page.get_by_role("button", name="Send the invitation").click()
        expect(page.get_by_text("We sent an invitation to dave@example.com.")).to_be_visible()
        page.get_by_role("button", name="Take back dave@example.com").click()
        expect(page.locator("#invited")).not_to_contain_text("dave@example.com")
        page.get_by_label("Name or e-mail").fill("bob")
        page.get_by_role("button", name="Show").click()
        members = page.locator("#found tbody tr")
        expect(members).to_have_count(1)
        page.get_by_label(re.compile("Role for bob")).select_option("Member")
        page.get_by_role("button", name="Give").click()
        expect(members.locator(".chip")).to_have_text(["Member"])
        expect(members).to_have_count(1)
