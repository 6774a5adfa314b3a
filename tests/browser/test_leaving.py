"""Coming and going in a real browser: invitations, roles, the lock screen's way out, closing."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from orgs import emails, services
from orgs.models import Organization, Role, Tier
from tests.browser import chromium
from tests.browser.looking import faults, opened
from tests.browser.people import PASSWORD, Team

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_owner_makes_a_role_invites_with_it_and_takes_it_back(
    live_server: LiveServer, team: Team
) -> None:
    Organization.objects.update(tier=Tier.objects.get(key="business"))
    found = []
    with opened(live_server, team.owner) as page:
        page.goto("/team/roles/")
        page.get_by_role("link", name="Make a role of your own").click()
        page.get_by_role("textbox", name="Name").fill("Front desk")
        page.get_by_label("Invite people").check()
        found += faults(page)
        page.get_by_role("button", name="Save the role").click()
        expect(page.get_by_text("The role is saved.")).to_be_visible()
        found += faults(page)
        page.goto("/team/")
        page.get_by_label("E-mail address").fill("eve@example.com")
        page.get_by_label("Front desk").first.check()
        page.get_by_role("button", name="Send the invitation").click()
        expect(page.get_by_text("We sent an invitation to eve@example.com.")).to_be_visible()
        found += faults(page)
        page.get_by_role("button", name="Take back eve@example.com").click()
        expect(page.get_by_text("The invitation to eve@example.com is taken back.")).to_be_visible()
        page.goto("/team/roles/")
        page.get_by_role("link", name="Delete Front desk").click()
        found += faults(page)
        page.get_by_role("button", name="Delete the role").click()
        expect(page.get_by_text("The role Front desk is gone.")).to_be_visible()
    assert found == []


def test_a_locked_member_who_cannot_log_in_leaves_by_the_lock_screen(
    live_server: LiveServer, team: Team
) -> None:
    Organization.objects.update(locked_from=timezone.now())
    found = []
    with opened(live_server, refusals=(403,)) as page:
        page.goto("/accounts/login/")
        page.get_by_label("Email").fill(team.member.email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("main").get_by_role("button", name="Log in").click()
        page.get_by_role("link", name="Leave Acme Shipping").click()
        found += faults(page)
        page.get_by_role("button", name="Leave Acme Shipping").press("Enter")
        page.wait_for_url("**/accounts/login/")
        chromium.log_in(page, team.member.email, PASSWORD)
        expect(page.get_by_role("heading", level=1)).to_have_text("You belong to no organization")
    assert found == []


def test_the_owner_closes_and_reopens(live_server: LiveServer, team: Team) -> None:
    found = []
    with opened(live_server, team.owner, refusals=(422,)) as page:
        page.goto("/organization/")
        page.get_by_role("link", name="Close the organization").click()
        slug = page.get_by_label("The organization's slug")
        slug.fill("something else")
        page.get_by_role("button", name="Close it").click()
        expect(page.get_by_text("This is not the organization's slug.")).to_be_visible()
        found += faults(page)
        slug.fill(team.organization.slug)
        page.get_by_role("button", name="Close it").click()
        expect(page.get_by_text("Your organization is closed")).to_be_visible()
        found += faults(page)
        page.get_by_role("button", name="Reopen").click()
        expect(page.get_by_text("is open again.")).to_be_visible()
    assert found == []


def test_the_ways_to_join_have_no_faults(live_server: LiveServer, team: Team) -> None:
    organization = team.organization
    alone = services.sign_up(
        email="olga@example.com",
        password=PASSWORD,
        name="Olga",
        organization_name="Olga's",
        is_email_verified=True,
    )
    invitation = services.invite(
        organization=organization, email=alone.email, by=team.owner, now=timezone.now()
    )
    link = reverse("orgs:invitation", args=[emails.invitation_token(invitation)])
    Tier.objects.filter(key="free").update(seat_limit=2)
    found = []
    with opened(live_server, alone, refusals=(409,)) as page:
        page.goto(link)
        expect(page.get_by_text("All seats of Acme Shipping & Sons are taken.")).to_be_visible()
        found += faults(page)
    Tier.objects.filter(key="free").update(seat_limit=3)
    with opened(live_server, alone) as page:
        page.goto(link)
        found += faults(page)
        page.get_by_label("Close Olga's for good").check()
        page.get_by_role("button", name="Close it and join the team").click()
        expect(page.get_by_text("Welcome to Acme Shipping & Sons.")).to_be_visible()
    assert found == []


def test_staff_delete_and_restore_and_ask_why(
    live_server: LiveServer, team: Team, staff: User
) -> None:
    role = Role.objects.get(key="admin", organization=None)
    services.assign_role(user=team.member, role=role, by=team.owner, now=timezone.now())
    here = f"/admin/accounts/user/{team.member.pk}"
    with opened(live_server, staff) as page:
        page.goto(f"{here}/change/")
        page.get_by_role("link", name="Delete softly").click()
        expect(page.get_by_text("The role Admin ends.")).to_be_visible()
        page.get_by_label("Reason").fill("Left the company.")
        page.get_by_role("button", name="Delete softly").click()
        page.get_by_role("link", name="Why can or can't this person").click()
        expect(page.get_by_text("was deleted.")).to_be_visible()
        page.goto(f"{here}/restore/")
        expect(page.get_by_label("Admin")).to_be_checked()
        page.get_by_role("button", name="Restore").click()
        expect(page.get_by_text("Restored bob")).to_be_visible()
