"""Paying without being billed twice: one open checkout, one subscription, whoever clicks when."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from djstripe.models import Price

from accounts.models import UserEventLog
from billing import gateway, mirror, services
from billing.gateway import BillingUnavailable
from billing.models import Standing, Status, TierPrice
from billing.services import leases
from billing.services.sync import MOST_ROUNDS
from config.browser import Browser, FormNotFound
from orgs import services as services_of_orgs
from orgs.models import Organization
from tests.cast import Cast, signed_in
from tests.payer import Payer
from tests.together import together

GOOD = "4242424242424242"


def price_of(tier: str) -> TierPrice:
    return TierPrice.objects.get(tier__key=tier, interval="month")


def subscriptions(payer: Payer) -> list[str]:
    """The statuses of all that Stripe has."""
    listed = gateway.api().subscriptions.list({"status": "all"})
    return [each.status for each in listed.data]


def tab(payer: Payer, tier: str = "pro") -> Browser:
    """A new tab in which the owner chose this plan."""
    browser = Browser()
    browser.open(payer.checkout_url(tier))
    return browser


def test_a_double_click_leads_to_one_and_the_same_checkout(payer: Payer) -> None:
    assert payer.checkout_url() == payer.checkout_url()
    assert len(payer.open_checkouts()) == 1


def test_choosing_another_plan_in_a_second_tab_closes_the_first_tabs_checkout(
    payer: Payer, cast: Cast
) -> None:
    first, second = tab(payer, "pro"), tab(payer, "business")
    page = first.submit("checkout-form", card=GOOD)
    assert (page.status, "expired" in page.text) == (410, True)
    second.submit("checkout-form", card=GOOD)
    assert subscriptions(payer) == ["active"]
    tier = payer.sync().tier
    assert tier is not None
    assert tier.key == "business"


def test_sending_the_checkout_twice_or_going_back_to_it_pays_once(payer: Payer) -> None:
    browser = tab(payer)
    address, form = browser.page.url, browser.page
    browser.submit("checkout-form", card=GOOD)
    browser.page = form
    browser.submit("checkout-form", card=GOOD)
    browser.open(address)
    with pytest.raises(FormNotFound):
        browser.page.form("checkout-form")
    assert subscriptions(payer) == ["active"]


def test_going_back_to_the_plans_after_paying_says_that_there_is_a_plan(
    payer: Payer, cast: Cast
) -> None:
    payer.subscribe()
    # The page from before still offers what is bought by now.
    answer = signed_in(cast.alice).post(
        reverse("billing:subscribe"), {"price": price_of("pro").pk}, follow=True
    )
    assert "You have this plan already." in answer.content.decode()
    assert payer.open_checkouts() == []


def test_a_checkout_left_open_is_closed_once_a_subscription_lives(payer: Payer) -> None:
    browser = tab(payer)
    payer.subscribe_at_stripe()
    payer.sync()
    assert browser.submit("checkout-form", card=GOOD).status == 410
    assert subscriptions(payer) == ["active"]


@pytest.mark.parametrize("status", ["past_due", "unpaid"])
def test_who_owes_money_cannot_buy_a_second_subscription(payer: Payer, status: str) -> None:
    payer.sandbox.settings(dunning_end="unpaid")
    payer.subscribe()
    payer.change_card("4000000000000341")
    payer.advance(32 if status == "past_due" else 55)
    assert subscriptions(payer) == [status]
    with pytest.raises(services.AlreadySubscribed):
        payer.checkout_url("business")
    assert payer.open_checkouts() == []


def test_a_change_of_plan_changes_the_subscription_and_makes_no_second_one(
    payer: Payer, cast: Cast
) -> None:
    payer.subscribe("pro")
    subscription = Standing.objects.get(organization=payer.sync()).subscription_id
    answer = signed_in(cast.alice).post(
        reverse("billing:subscribe"), {"price": price_of("business").pk}
    )
    payer.browser.open(answer["Location"])
    # What it leads back to is not served here.
    with pytest.raises(OSError, match=r"testserver|Name or service|resolution|disabled"):
        payer.browser.submit("switch-form")
    tier = payer.sync().tier
    assert tier is not None
    assert tier.key == "business"
    assert Standing.objects.get(organization=cast.acme).subscription_id == subscription
    assert subscriptions(payer) == ["active"]


def test_a_change_to_the_price_that_is_paid_is_none(payer: Payer, cast: Cast) -> None:
    payer.subscribe()
    acme = payer.sync()
    with pytest.raises(services.SamePlan):
        services.change_plan(
            organization=acme, price=price_of("pro"), by=cast.alice, return_url="http://x/"
        )


def test_what_is_owed_is_paid_before_the_plan_is_changed(payer: Payer, cast: Cast) -> None:
    payer.subscribe()
    payer.change_card("4000000000000341")
    payer.advance(32)
    acme = payer.sync()
    url = services.change_plan(
        organization=acme, price=price_of("business"), by=cast.alice, return_url="http://x/"
    )
    payer.browser.open(url).form("pay-form")


def test_the_page_marks_the_price_that_is_paid_and_offers_the_others(
    payer: Payer, cast: Cast
) -> None:
    payer.subscribe()
    payer.sync()
    text = signed_in(cast.alice).get(reverse("billing:overview")).content.decode()
    assert text.count("Your price") == 1
    assert text.count("Switch") == 3


def test_a_former_owners_checkout_is_closed_by_the_sync_that_follows_the_transfer(
    payer: Payer, cast: Cast
) -> None:
    browser = tab(payer)
    transfer(cast)
    payer.sync()
    assert browser.submit("checkout-form", card=GOOD).status == 410
    assert subscriptions(payer) == []


def test_a_checkout_that_a_former_owner_finished_first_pays_for_the_organization(
    payer: Payer, cast: Cast
) -> None:
    """The money counts for the organization. Who paid, a member now, is told whom to ask."""
    browser = tab(payer)
    transfer(cast)
    browser.submit("checkout-form", card=GOOD)
    page = signed_in(cast.alice).get(reverse("billing:checkout_return"), follow=True)
    assert page.status_code == 403
    assert "Ask Bob Brown for a role that does." in page.content.decode()
    cast.acme.refresh_from_db()
    assert cast.acme.tier is not None
    assert subscriptions(payer) == ["active"]
    assert payer.customers()[0]["email"] == "bob@example.com"


def transfer(cast: Cast) -> None:
    services_of_orgs.transfer_ownership(
        organization=cast.acme, new_owner=cast.bob, by=cast.dana, reason="Alice moves on."
    )


def test_a_price_with_a_successor_is_not_sold_to_who_still_sees_it(
    payer: Payer, cast: Cast
) -> None:
    old = price_of("pro")
    product = Price.objects.get(id=old.stripe_price_id).product_id
    new = gateway.create_price(
        product_id=product, lookup_key="pro_2", currency="eur", amount=2_500, interval="month"
    )
    mirror.write_price(gateway.retrieve_price(new["id"]))
    TierPrice.objects.create(tier=old.tier, stripe_price_id=new["id"], interval="month")
    answer = signed_in(cast.alice).post(
        reverse("billing:subscribe"), {"price": old.pk}, follow=True
    )
    text = answer.content.decode()
    assert "no longer offered at that price" in text
    assert "€25" in text
    assert "€19<" not in text


def test_a_price_archived_at_stripe_is_refused_and_offered_no_more(
    payer: Payer, cast: Cast
) -> None:
    price = price_of("pro")
    gateway.api().prices.update(price.stripe_price_id, {"active": False})
    client = signed_in(cast.alice)
    answer = client.post(reverse("billing:subscribe"), {"price": price.pk}, follow=True)
    text = answer.content.decode()
    assert "no longer offered at that price" in text
    assert f'value="{price.pk}"' not in text


def test_a_price_archived_while_its_checkout_is_open_is_honoured(payer: Payer) -> None:
    browser = tab(payer)
    gateway.api().prices.update(price_of("pro").stripe_price_id, {"active": False})
    browser.submit("checkout-form", card=GOOD)
    tier = payer.sync().tier
    assert tier is not None
    assert tier.key == "pro"


def test_while_another_process_syncs_the_owner_is_asked_to_try_again(
    payer: Payer, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("billing.services.checkout.PATIENCE", timedelta(0))
    assert leases.take(cast.acme.pk, timezone.now()) is not None
    answer = signed_in(cast.alice).post(reverse("billing:subscribe"), {"price": price_of("pro").pk})
    assert answer.status_code == 503
    assert payer.open_checkouts() == []


@pytest.mark.django_db(transaction=True)
def test_clicks_at_the_same_moment_open_one_checkout(payer: Payer, cast: Cast) -> None:
    def click() -> str:
        """Click, and once more where this machine was too slow for the patience of one click."""
        for _ in range(10):
            with suppress(BillingUnavailable):
                return payer.checkout_url()
        raise AssertionError("no click was answered")

    (url,) = set(together(*[click] * 4))
    assert isinstance(url, str)
    assert len(payer.open_checkouts()) == 1
    assert len(payer.customers()) == 1


@pytest.mark.django_db(transaction=True)
def test_a_checkout_stands_whatever_happens_while_it_is_opened(payer: Payer, cast: Cast) -> None:
    """Something happens during each round of a click, until it may go no further: the page that it
    opened may be in somebody's hands by then."""
    acme = payer.sync()
    rounds = [{"path": "/v1/subscriptions", "delay_ms": 300, "times": MOST_ROUNDS}]
    payer.sandbox.weather(rounds)

    def keep_happening() -> None:
        for _ in range(MOST_ROUNDS):
            seen = len(payer.sandbox.requests())
            payer.wait_for_call("GET", "/v1/subscriptions", after=seen)
            services.request_sync(organization_ids=[acme.pk], now=timezone.now())

    before = len(payer.sandbox.requests())
    url, _nothing = together(payer.checkout_url, keep_happening)
    assert Browser().open(str(url)).status == 200
    calls = [(each["method"], each["path"]) for each in payer.sandbox.requests()[before:]]
    assert calls.count(("GET", "/v1/subscriptions")) > MOST_ROUNDS
    assert calls.count(("POST", "/v1/checkout/sessions")) == 1


@pytest.mark.django_db(transaction=True)
def test_a_checkout_whose_lease_ran_out_is_closed_again(payer: Payer, cast: Cast) -> None:
    """Slower than a lease: another process has opened its own meanwhile."""
    payer.sync()
    payer.sandbox.weather(
        [{"path": "/v1/checkout/sessions", "method": "POST", "delay_ms": 1000, "times": 1}]
    )

    def overtake() -> str:
        payer.wait_for_call("POST", "/v1/checkout/sessions")
        Standing.objects.update(lease_until=timezone.now())
        return payer.checkout_url("business")

    slow, quick = together(payer.checkout_url, overtake)
    assert len(payer.open_checkouts()) == 1
    open_pages = [url for url in (slow, quick) if Browser().open(str(url)).status == 200]
    assert len(open_pages) == 1


def test_after_the_customer_was_deleted_at_stripe_the_owner_starts_afresh(
    payer: Payer, cast: Cast
) -> None:
    payer.subscribe()
    dead = payer.sync().stripe_customer_id
    assert dead is not None
    gateway.api().customers.delete(dead)
    acme = payer.sync()
    assert (acme.stripe_customer_id, acme.is_locked(timezone.now())) == (dead, True)
    assert Standing.objects.get(organization=acme).reason == "customer_deleted"

    browser = tab(payer, "business")
    browser.submit("checkout-form", card=GOOD)
    acme = payer.sync()
    assert acme.stripe_customer_id not in {dead, None}
    assert Standing.objects.get(organization=acme).status == Status.CURRENT
    (line,) = UserEventLog.objects.filter(event="customer_deleted")
    assert line.data == {"stripe_customer": dead}


def test_a_dead_customer_is_not_replaced_before_stripe_says_deleted(
    payer: Payer, cast: Cast
) -> None:
    before = payer.sync().stripe_customer_id
    payer.checkout_url()
    assert Organization.objects.get(pk=cast.acme.pk).stripe_customer_id == before
    assert len(payer.customers()) == 1
