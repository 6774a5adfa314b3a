"""The billing page and the way to Stripe and back: who may, and what the others are told."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from billing.models import Standing, Status, TierPrice
from orgs import services as services_of_orgs
from orgs.models import Role, Tier
from tests.cast import Cast, lock, signed_in
from tests.payer import Payer

WHO_MAY = "Only the owner, Alice Adams, can change billing."


def pro_price() -> TierPrice:
    return TierPrice.objects.get(tier__key="pro", interval="month")


def test_the_page_shows_plans_with_their_prices(payer: Payer, cast: Cast) -> None:
    Tier.objects.filter(key="pro").update(seat_limit=20)
    text = signed_in(cast.alice).get(reverse("billing:overview")).content.decode()
    for words in ("Free", "Pro", "Business", "€19", "€490", "Up to 20 people"):
        assert words in text


def test_without_prices_the_page_says_so(cast: Cast) -> None:
    text = signed_in(cast.alice).get(reverse("billing:overview")).content.decode()
    assert "Not on offer at the moment" in text


def test_a_member_may_look_and_is_told_who_may_change(payer: Payer, cast: Cast) -> None:
    client = signed_in(cast.bob)
    refused = client.get(reverse("billing:overview"))
    assert refused.status_code == 403
    assert "Your role does not include this" in refused.content.decode()
    role = Role.objects.get(key="billing_viewer", organization=None)
    services_of_orgs.assign_role(user=cast.bob, role=role, by=cast.alice, now=timezone.now())
    page = client.get(reverse("billing:overview"))
    assert page.status_code == 200
    assert WHO_MAY in page.content.decode()
    assert reverse("billing:subscribe") not in page.content.decode()


def test_choosing_a_plan_leads_to_the_checkout_and_back_to_the_plan(
    payer: Payer, cast: Cast
) -> None:
    client = signed_in(cast.alice)
    answer = client.post(reverse("billing:subscribe"), {"price": pro_price().pk})
    assert answer.status_code == 302
    payer.browser.open(answer["Location"])
    # The sandbox sends the browser back to a product that no server runs here for.
    with pytest.raises(OSError, match=r"testserver|Name or service|resolution|disabled"):
        payer.browser.submit("checkout-form", card="4242424242424242")
    page = client.get(reverse("billing:checkout_return"), follow=True)
    assert page.redirect_chain[-1][0] == reverse("billing:overview")
    assert "Manage billing" in page.content.decode()
    assert Standing.objects.get(organization=cast.acme).status == Status.CURRENT


@pytest.mark.parametrize("page", ["subscribe", "portal", "choose_free"])
def test_only_the_owner_pays_and_a_member_is_told_why_not(
    payer: Payer, cast: Cast, page: str
) -> None:
    answer = signed_in(cast.bob).post(reverse(f"billing:{page}"), {"price": pro_price().pk})
    assert answer.status_code == 403
    assert WHO_MAY in answer.content.decode()


@pytest.mark.parametrize("who", ["charlie", "dana"])
@pytest.mark.parametrize("page", ["overview", "checkout_return"])
def test_people_without_an_organization_are_sent_home(cast: Cast, page: str, who: str) -> None:
    answer = signed_in(getattr(cast, who)).get(reverse(f"billing:{page}"))
    assert answer["Location"] == reverse("home")


def test_visitors_log_in_first() -> None:
    answer = Client().get(reverse("billing:overview"))
    assert answer["Location"].startswith(reverse("account_login"))


def test_a_retired_tier_cannot_be_chosen(payer: Payer, cast: Cast) -> None:
    price = pro_price()
    Tier.objects.filter(key="pro").update(is_offered=False)
    answer = signed_in(cast.alice).post(
        reverse("billing:subscribe"), {"price": price.pk}, follow=True
    )
    assert "no longer offered" in answer.content.decode()


@pytest.mark.parametrize("price", ["", "999999", "9" * 30, "not a number"])
def test_a_price_that_is_none_is_not_found(payer: Payer, cast: Cast, price: str) -> None:
    answer = signed_in(cast.alice).post(reverse("billing:subscribe"), {"price": price})
    assert answer.status_code == 404


@pytest.mark.parametrize("page", ["subscribe", "portal"])
def test_stripe_out_of_reach_is_said_calmly_and_costs_nothing(
    payer: Payer, cast: Cast, page: str
) -> None:
    payer.sandbox.weather([{"path": "/v1/*", "status": 500}])
    answer = signed_in(cast.alice).post(reverse(f"billing:{page}"), {"price": pro_price().pk})
    assert answer.status_code == 503
    assert "Nothing was lost" in answer.content.decode()


def test_coming_back_while_stripe_is_out_of_reach_says_that_we_are_checking(
    payer: Payer, cast: Cast
) -> None:
    payer.sandbox.weather([{"path": "/v1/*", "status": 500}])
    answer = signed_in(cast.alice).get(reverse("billing:checkout_return"))
    assert answer.status_code == 202
    assert reverse("billing:checkout_return") in answer.content.decode()


def test_the_locked_owner_reaches_the_portal_from_the_banner(payer: Payer, cast: Cast) -> None:
    payer.subscribe()
    payer.sync()
    lock(cast.acme)
    client = signed_in(cast.alice)
    assert f'action="{reverse("billing:portal")}"' in client.get("/").content.decode()
    answer = client.post(reverse("billing:portal"))
    assert answer["Location"].startswith(payer.sandbox.url)


def test_after_an_unpaid_end_the_owner_can_go_on_with_free(payer: Payer, cast: Cast) -> None:
    payer.subscribe()
    payer.change_card("4000000000000341")
    payer.advance(70)
    payer.sync()
    client = signed_in(cast.alice)
    assert (
        reverse("billing:choose_free") in client.get(reverse("billing:overview")).content.decode()
    )
    client.post(reverse("billing:choose_free"))
    standing = Standing.objects.get(organization=cast.acme)
    assert standing.free_chosen_at is not None
    assert standing.free_chosen_at <= timezone.now()


def test_without_a_key_the_pages_still_open(cast: Cast, settings: Settings) -> None:
    settings.STRIPE_SECRET_KEY = ""
    client = signed_in(cast.alice)
    assert client.get(reverse("billing:overview")).status_code == 200
    assert client.post(reverse("billing:portal")).status_code == 503
