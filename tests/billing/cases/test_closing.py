"""Case 15, closing: an organization is closed only once Stripe bills nothing for it any more."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from billing import gateway, services
from config.browser import Browser
from orgs import emails
from orgs import services as services_of_orgs
from orgs.models import Organization
from tests.billing.cases import FAILS_LATER, GOOD, Team, acme, arrive, sees
from tests.cast import Cast, OrganizationFactory, signed_in
from tests.payer import Payer

pytestmark = pytest.mark.django_db(transaction=True)


def close(team: Team) -> Any:
    """Close it as the owner does, on the page."""
    form = {"slug": team.organization.slug}
    return signed_in(team.owner).post(reverse("billing:close_organization"), form, follow=True)


def statuses(team: Team) -> list[str]:
    return [each["status"] for each in gateway.list_subscriptions(team.customer)]


def test_case_15_a_closed_organizations_subscription_is_canceled_first(
    wired_payer: Payer, cast: Cast
) -> None:
    """Case 15: nobody is billed for nothing; and reopened, it is on the free plan."""
    team = acme(wired_payer, cast)
    wired_payer.subscribe()
    arrive(wired_payer)
    asked = signed_in(cast.alice).get(reverse("billing:close_organization")).content.decode()
    assert "Your plan Pro is canceled first and ends at once." in asked
    assert "Acme is closed." in close(team).content.decode()
    arrive(wired_payer)
    assert statuses(team) == ["canceled"]
    assert sees(team.member)[0] == 403
    assert (team.standing.status, team.organization.tier) == ("free", None)
    team.assert_in_step()
    wired_payer.advance(days=40)
    arrive(wired_payer)
    assert statuses(team) == ["canceled"]
    services_of_orgs.reopen_organization(
        organization=team.organization, by=cast.alice, now=timezone.now()
    )
    team.assert_open("free")
    team.assert_in_step()


def test_case_15_what_is_owed_is_not_collected_after_closing(
    wired_payer: Payer, cast: Cast
) -> None:
    """Case 15: closing a lapsed organization ends the attempts to charge its card."""
    team = acme(wired_payer, cast)
    wired_payer.subscribe()
    wired_payer.change_card(FAILS_LATER)
    wired_payer.advance(days=32)
    arrive(wired_payer)
    team.assert_locked()
    close(team)
    arrive(wired_payer)
    assert statuses(team) == ["canceled"]
    assert team.organization.closed_at is not None
    team.assert_in_step()


def test_case_15_while_stripe_is_silent_nothing_is_closed(wired_payer: Payer, cast: Cast) -> None:
    """Case 15: the owner is told to try again, and the team works on."""
    team = acme(wired_payer, cast)
    wired_payer.subscribe()
    arrive(wired_payer)
    wired_payer.sandbox.weather([{"path": "/v1/subscriptions", "status": 500}])
    page = close(team)
    assert page.status_code == 503
    wired_payer.sandbox.weather([])
    assert team.organization.closed_at is None
    team.assert_open("pro")
    assert statuses(team) == ["active"]
    close(team)
    assert statuses(team) == ["canceled"]


def test_case_15_a_checkout_left_open_cannot_be_paid_after_closing(
    wired_payer: Payer, cast: Cast
) -> None:
    """Case 15: nor can a new one be begun."""
    team = acme(wired_payer, cast)
    tab = Browser()
    tab.open(wired_payer.checkout_url())
    close(team)
    assert tab.submit("checkout-form", card=GOOD).status == 410
    assert statuses(team) == []
    with pytest.raises(services_of_orgs.OrganizationIsClosed):
        wired_payer.checkout_url()


def test_case_15_what_begins_while_it_closes_is_ended_by_the_next_sync(
    wired_payer: Payer, cast: Cast
) -> None:
    """Case 15: a subscription that begins at Stripe just after is canceled once it is heard of."""
    team = acme(wired_payer, cast)
    close(team)
    wired_payer.subscribe_at_stripe()
    arrive(wired_payer)
    services.sync_due(now=timezone.now())
    assert statuses(team) == ["canceled"]
    team.assert_in_step()


def test_case_15_past_the_page_what_is_billed_is_not_closed(wired_payer: Payer, cast: Cast) -> None:
    """Case 15: the service of orgs knows no Stripe, and is kept from it all the same."""
    team = acme(wired_payer, cast)
    wired_payer.subscribe()
    arrive(wired_payer)
    with pytest.raises(services_of_orgs.StillBilled):
        services_of_orgs.close_organization(
            organization=team.organization, by=cast.alice, now=timezone.now()
        )
    team.assert_open("pro")


def test_case_15_removal_leaves_nothing_that_could_bill(wired_payer: Payer, cast: Cast) -> None:
    """Case 15: whoever is alone closes at once; a checkout left open elsewhere expires."""
    own = OrganizationFactory.create()
    arrive(wired_payer)
    own.refresh_from_db()
    payer = Payer(wired_payer.sandbox, own)
    tab = Browser()
    tab.open(payer.checkout_url())
    assert services_of_orgs.close_organization(organization=own, by=own.owner, now=timezone.now())
    assert payer.open_checkouts() == []
    assert tab.submit("checkout-form", card=GOOD).status == 410
    assert not Organization.objects.filter(pk=own.pk).exists()


def test_case_15_who_pays_alone_and_joins_a_team_closes_first(
    wired_payer: Payer, cast: Cast
) -> None:
    """Case 15: accepting an invitation closes one's own organization, but never a paying one."""
    own = OrganizationFactory.create()
    arrive(wired_payer)
    payer = Payer(wired_payer.sandbox, own)
    payer.subscribe()
    arrive(wired_payer)
    team = Team(payer, own.owner, own.owner)
    invitation = services_of_orgs.invite(
        organization=cast.acme, email=own.owner.email, by=cast.alice, now=timezone.now()
    )
    link = reverse("orgs:invitation", args=[emails.invitation_token(invitation)])
    client = signed_in(own.owner)
    page = client.post(link, {"close_own": "on"})
    assert page.status_code == 409
    assert "Your own organization still has a subscription" in page.content.decode()
    assert reverse("billing:close_organization") in page.content.decode()
    assert statuses(team) == ["active"]
    customer = team.customer
    form = {"slug": team.organization.slug}
    gone = client.post(reverse("billing:close_organization"), form, follow=True)
    assert f"{own.name} is gone." in gone.content.decode()
    assert [each["status"] for each in gateway.list_subscriptions(customer)] == ["canceled"]
    joined = client.post(link, follow=True)
    assert "Welcome to Acme." in joined.content.decode()
