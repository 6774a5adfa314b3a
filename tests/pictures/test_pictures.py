"""Renders every page in each state: `make screenshots`. CI asks that they render, and no more.

They are found by address, so that other words on a page do not matter.
"""

from __future__ import annotations

from functools import partial
from urllib.parse import urlsplit

import pytest
from django.http.response import HttpResponseBase
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Route
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from accounts import exits
from accounts.models import User
from billing import services as billing
from billing.models import PayerMail, TierPrice
from config.errors import server_error
from orgs import clock, emails, services
from orgs.models import Organization, Role, Tier
from tests.browser import chromium
from tests.cast import PASSWORD, Cast, add_member
from tests.matrix import PAGES
from tests.payer import Payer
from tests.pictures.gallery import Gallery
from tests.pictures.states import STATES, past_due
from tests.sandbox_process import SandboxProcess
from tests.second_factor import set_up_second_factor

pytestmark = [
    pytest.mark.browser,
    pytest.mark.pictures,
    pytest.mark.django_db(transaction=True),
]

# They show nothing, and lead to Stripe or to the billing page.
LEADS_ON = {"billing:confirm_payment", "billing:checkout_return"}


@pytest.fixture
def present(
    stripe_account: SandboxProcess,
    live_server: LiveServer,
    settings: Settings,
    request: pytest.FixtureRequest,
) -> Payer:
    """Acme at Stripe, where it is the present."""
    settings.BASE_URL = live_server.url
    settings.STRIPE_TEST_CLOCK = stripe_account.clock()
    # Founded now, so that it lives by this clock.
    cast: Cast = request.getfixturevalue("cast")
    offer_seats()
    return Payer(stripe_account, cast.acme)


def offer_seats() -> None:
    """Have tiers differ by their seats, as they do unless a test takes the limits away."""
    for key, seats in (("free", 3), ("pro", 20), ("business", 50)):
        Tier.objects.filter(key=key).update(seat_limit=seats)


@pytest.fixture
def furnished(cast: Cast) -> Cast:
    """Acme with people, roles and invitations, as a team has them."""
    acme, alice, now = cast.acme, cast.alice, timezone.now()
    offer_seats()
    Organization.objects.filter(pk=acme.pk).update(tier=Tier.objects.get(key="business"))
    acme.refresh_from_db()
    services.create_role(organization=acme, name="Bookkeeping", permissions=(), by=alice, now=now)
    for email, name, key in (
        ("carla@example.com", "Carla Costa", "admin"),
        ("emil@example.com", "Emil Eriksen", "billing_viewer"),
        ("fatima@example.com", "Fatima Farouk", "member"),
    ):
        person = add_member(acme, email=email, name=name)
        role = Role.objects.get(key=key, organization=None)
        services.assign_role(user=person, role=role, by=alice, now=now)
    services.invite(organization=acme, email="grace@example.com", by=alice, now=now)
    return cast


def test_pages_for_visitors(gallery: Gallery, live_server: LiveServer, cast: Cast) -> None:
    invitation = services.invite(
        organization=cast.acme, email="eve@example.com", by=cast.alice, now=timezone.now()
    )
    link = reverse("orgs:invitation", args=[emails.invitation_token(invitation)])
    deletion = services.delete_own_account(user=add_member(cast.acme), now=timezone.now())
    back = reverse("orgs:come_back", args=[emails.come_back_token(deletion)])
    group = "Visitors"
    with gallery.visit(live_server.url) as visit:
        gallery.take(visit, group, "The landing page", "/", also=True)
        gallery.take(visit, group, "Log in", reverse("account_login"), also=True)
        gallery.take(visit, group, "Sign up", reverse("account_signup"))
        gallery.take(visit, group, "Reset the password", reverse("account_reset_password"))
        gallery.take(visit, group, "An invitation", link)
        gallery.take(visit, group, "Coming back after one's account was deleted", back)
        gallery.take(visit, group, "Not there: 404", "/nowhere/", status=404)
        set_up_second_factor(cast.alice)
        chromium.log_in(visit.page, cast.alice.email, PASSWORD)
        gallery.take(visit, group, "The second factor", also=True)
    refuse(gallery, live_server.url)
    assert gallery.told() == []


def refuse(gallery: Gallery, server: str) -> None:
    """Take the answers that no link leads to: they are asked for, and shown as they came."""
    login = reverse("account_login")
    client = Client()
    answers = {
        400: client.get("/", headers={"Host": "elsewhere.example"}),
        403: Client(enforce_csrf_checks=True).post(login),
        500: server_error(RequestFactory().get("/")),
    }
    for _ in range(31):
        answers[429] = client.post(login, {"login": "x", "password": "x"})
    for status, answer in answers.items():
        assert answer.status_code == status
        with gallery.visit(server) as visit:
            visit.page.route(
                "**/refused/",
                partial(fulfill, answer=answer),
            )
            gallery.take(visit, "Visitors", f"Refused: {status}", "/refused/", status=status)


def fulfill(route: Route, *, answer: HttpResponseBase) -> None:
    headers = {name: str(value) for name, value in answer.headers.items()}
    route.fulfill(status=answer.status_code, body=answer.getvalue(), headers=headers)


def test_where_a_second_factor_is_demanded(
    gallery: Gallery, live_server: LiveServer, furnished: Cast, settings: Settings
) -> None:
    settings.SECOND_FACTOR_NEEDED_BY = "everybody"
    with gallery.visit(live_server.url, furnished.bob) as visit:
        gallery.take(visit, "A member", "A second factor is demanded", reverse("mfa_index"))


def test_pages_of_a_team(gallery: Gallery, live_server: LiveServer, furnished: Cast) -> None:
    acme, group = furnished.acme, "The owner"
    own = Role.objects.get(organization=acme)
    pages = {
        "Home": "home",
        "Team": "orgs:team",
        "Roles": "orgs:roles",
        "A new role": "orgs:create_role",
        "Organization": "orgs:organization",
        "Activity": "orgs:activity",
        "Account": "accounts:account",
        "Security activity": "accounts:security",
        "Email": "account_email",
        "Sessions": "usersessions_list",
        "Second factors and passkeys": "mfa_index",
        "Leaving, as the owner": "orgs:leave",
        "Hand over ownership": "orgs:request_transfer",
        "Close the organization": "billing:close_organization",
    }
    with gallery.visit(live_server.url, furnished.alice) as visit:
        for title, name in pages.items():
            gallery.take(
                visit,
                group,
                title,
                reverse(name),
                also=name in {"home", "orgs:team"},
                shown_as="team" if name == "orgs:team" else "",
            )
        change = reverse("orgs:change_role", args=[own.pk])
        gallery.take(visit, group, "Change a role", change)
        delete = reverse("orgs:delete_role", args=[own.pk])
        gallery.take(visit, group, "Delete a role", delete)
        remove = reverse("orgs:remove_member", args=[furnished.bob.pk])
        gallery.take(visit, group, "Remove a member", remove)
        set_up = reverse("mfa_activate_totp")
        gallery.take(visit, group, "Is it you?", reverse("account_reauthenticate"))
        visit.page.goto(set_up)
        chromium.confirm_password(visit.page, PASSWORD)
        for title, name in {
            "An authenticator app": "mfa_activate_totp",
            "A new passkey": "mfa_add_webauthn",
            "Passkeys": "mfa_list_webauthn",
            "Change the password": "account_change_password",
            "Download one's data": "accounts:export",
            "Delete one's account": "orgs:delete_account",
            "Download the organization's data": "orgs:export_organization",
        }.items():
            gallery.take(visit, group, title, reverse(name))
    with gallery.visit(live_server.url, furnished.bob) as visit:
        for title, name, status in (
            ("Home", "home", 200),
            ("Team", "orgs:team", 200),
            ("Leaving", "orgs:leave", 200),
            ("Billing, without the role", "billing:overview", 403),
            ("A new role, without the role", "orgs:create_role", 403),
        ):
            gallery.take(visit, "A member", title, reverse(name), status=status)
    assert gallery.told() == []


@pytest.mark.parametrize("state", STATES)
def test_a_state_of_billing(
    gallery: Gallery, live_server: LiveServer, present: Payer, settings: Settings, state: str
) -> None:
    made = STATES[state]
    settings.BILLING_GRACE_DAYS = made.grace_days
    made.make(present)
    acme = Organization.objects.select_related("owner").get(pk=present.organization.pk)
    is_plain, is_locked = state == "paid", state == "past due, locked"
    with gallery.visit(live_server.url, acme.owner) as visit:
        gallery.take(
            visit,
            "Billing",
            state,
            reverse("billing:overview"),
            also=is_plain or is_locked,
            shown_as="billing" if is_plain else "",
        )
        shown_as = "banner" if state == "past due, in grace" else ""
        gallery.take(visit, "The owner's home", state, "/", shown_as=shown_as)
        if is_plain:
            price = TierPrice.objects.get(tier__key="business", interval="month").pk
            change = f"{reverse('billing:change_plan')}?price={price}"
            gallery.take(visit, "Billing", "a change of plan", change)
    with gallery.visit(live_server.url, User.objects.get(email="bob@example.com")) as visit:
        gallery.take(
            visit,
            "A member's home",
            state,
            "/",
            status=made.members_meet,
            also=is_locked,
            shown_as="lock-screen" if is_locked else "",
        )
    if is_locked:
        take_the_ways_out(gallery, live_server.url)
    assert gallery.told() == []


def take_the_ways_out(gallery: Gallery, server: str) -> None:
    """Of somebody whom the lock keeps out at log-in."""
    bob = User.objects.get(email="bob@example.com")
    ways = {
        "Leave from outside": "orgs:leave_from_outside",
        "Download one's data from outside": "accounts:export_from_outside",
        "Delete one's account from outside": "orgs:delete_from_outside",
    }
    with gallery.visit(server) as visit:
        for title, name in ways.items():
            (url,) = exits.urls_of(bob, name)
            gallery.take(visit, "Locked out", title, urlsplit(url).path)


def test_pages_of_staff(
    gallery: Gallery,
    live_server: LiveServer,
    present: Payer,
    furnished: Cast,
    settings: Settings,
) -> None:
    past_due(present)
    billing.send_payer_mails(now=clock.now())
    acme, bob, now = Organization.objects.get(), furnished.bob, timezone.now()
    services.request_ownership_transfer(
        organization=acme, new_owner=bob, by=furnished.alice, reason="I leave in June.", now=now
    )
    billing.count_revenue(now=now)
    change, transfer = (
        reverse(f"admin:orgs_organization_{page}", args=[acme.pk])
        for page in ("change", "transfer")
    )
    with gallery.visit(live_server.url, furnished.dana) as visit:
        gallery.take(visit, "Staff", "The front page", reverse("admin:index"), also=True)
        gallery.take(
            visit,
            "Staff",
            "An organization's story",
            change,
            also=True,
            shown_as="organization-story",
        )
        for title, name, arguments in (
            ("Organizations", "orgs_organization_changelist", []),
            ("People", "accounts_user_changelist", []),
            ("A person", "accounts_user_change", [bob.pk]),
            ("Why can or cannot this person", "accounts_user_why", [bob.pk]),
            ("Delete a person", "accounts_user_soft-delete", [bob.pk]),
            ("Log", "accounts_usereventlog_changelist", []),
            ("Activity", "orgs_organization_activity", []),
            ("Standings", "billing_standing_changelist", []),
            ("An exemption", "billing_standing_exempt", [acme.standing.pk]),
            ("Revenue", "billing_movement_revenue", []),
            ("Movements", "billing_movement_changelist", []),
            ("Mails to whoever pays", "billing_payermail_changelist", []),
            ("A mail", "billing_payermail_change", [PayerMail.objects.latest("pk").pk]),
            ("Transfers that are asked for", "orgs_ownershiptransferrequest_changelist", []),
            ("Invitations", "orgs_invitation_changelist", []),
            ("Roles", "orgs_role_changelist", []),
            ("Tiers", "orgs_tier_changelist", []),
            ("A tier", "orgs_tier_change", [Tier.objects.get(key="pro").pk]),
            ("Runs of reconciling", "billing_reconcilerun_changelist", []),
        ):
            gallery.take(visit, "Staff", title, reverse(f"admin:{name}", args=arguments))
        visit.page.goto(reverse("mfa_activate_totp"))
        chromium.confirm_password(visit.page, PASSWORD)
        chromium.switch_second_factor_on(visit.page)
        look_as = reverse("admin:accounts_user_impersonate", args=[bob.pk])
        gallery.take(visit, "Staff", "Look as a person", look_as)
        preview = f"{transfer}?to={bob.pk}"
        gallery.take(
            visit, "Staff", "A transfer, before it happens", preview, shown_as="transfer-preview"
        )
    assert gallery.told() == []


def test_every_page_of_ours_has_a_picture(gallery: Gallery) -> None:
    """The last: it looks at what the others took."""
    pages = {page.name for page in PAGES if page.method == "GET"} - LEADS_ON
    assert pages - gallery.names == set()
