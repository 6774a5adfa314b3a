"""`manage.py stripe_setup`: what the product needs at Stripe, made once."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command
from djstripe.models import Price, WebhookEndpoint
from pytest_django import Settings

from billing import gateway
from billing.models import TierPrice
from tests.sandbox_process import SandboxProcess

BASE_URL = "http://127.0.0.1:1"


def set_up() -> str:
    out = io.StringIO()
    call_command("stripe_setup", base_url=BASE_URL, stdout=out)
    return out.getvalue()


def test_it_makes_products_prices_and_the_endpoint(stripe_at_hand: SandboxProcess) -> None:
    assert "is set up" in set_up()
    assert set(TierPrice.objects.values_list("tier__key", "interval")) == {
        ("pro", "month"),
        ("pro", "year"),
        ("business", "month"),
        ("business", "year"),
    }
    assert Price.objects.get(lookup_key="holdfast_pro_year").stripe_data["unit_amount"] == 19_000
    (at_stripe,) = gateway.list_webhook_endpoints()
    endpoint = WebhookEndpoint.objects.get()
    assert (endpoint.id, endpoint.url) == (at_stripe["id"], at_stripe["url"])
    assert at_stripe["api_version"] == "2026-05-27.dahlia"
    assert endpoint.secret.startswith("whsec_")
    assert "secret" not in endpoint.stripe_data


def test_a_second_time_it_changes_nothing(stripe_at_hand: SandboxProcess) -> None:
    set_up()
    calls = len(stripe_at_hand.requests())
    before = list(TierPrice.objects.values()), list(WebhookEndpoint.objects.values("id", "secret"))
    set_up()
    again = list(TierPrice.objects.values()), list(WebhookEndpoint.objects.values("id", "secret"))
    assert again == before
    assert {call["method"] for call in stripe_at_hand.requests()[calls:]} == {"GET"}


def test_an_endpoint_whose_secret_we_do_not_know_is_replaced(
    stripe_at_hand: SandboxProcess,
) -> None:
    set_up()
    WebhookEndpoint.objects.all().delete()
    set_up()
    (at_stripe,) = gateway.list_webhook_endpoints()
    assert WebhookEndpoint.objects.get().id == at_stripe["id"]


def test_an_endpoint_that_stripe_no_longer_has_is_replaced(
    stripe_at_hand: SandboxProcess,
) -> None:
    set_up()
    stripe_at_hand.reset()
    set_up()
    (at_stripe,) = gateway.list_webhook_endpoints()
    assert WebhookEndpoint.objects.get().id == at_stripe["id"]


def test_it_refuses_a_live_key(settings: Settings, db: None) -> None:
    settings.STRIPE_LIVE_MODE = True
    with pytest.raises(CommandError, match="live key"):
        set_up()


def test_stripe_out_of_reach_is_one_clear_sentence(
    stripe_at_hand: SandboxProcess,
) -> None:
    stripe_at_hand.weather([{"path": "/v1/*", "status": 500}])
    with pytest.raises(CommandError, match="Stripe could not be set up"):
        set_up()
