"""`manage.py stripe_setup`: what the product needs at Stripe, made once, and proven."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from djstripe.models import Price, WebhookEndpoint
from pytest_django import Settings

from accounts.encryption import decrypt
from billing import gateway, plans, services
from billing.management.commands import stripe_setup
from billing.models import TierPrice
from billing.services.setup_endpoint import EVENTS
from orgs.models import Tier
from tests.cast import Cast, signed_in
from tests.payer import Payer
from tests.sandbox_process import SandboxProcess

BASE_URL = "http://127.0.0.1:1"


def set_up(*args: str, base_url: str = BASE_URL, proof: bool = False) -> str:
    out = io.StringIO()
    proving = () if proof else ("--no-proof",)
    call_command("stripe_setup", *args, *proving, base_url=base_url, stdout=out)
    return out.getvalue()


def actions(printed: str) -> dict[str, str]:
    """What became of each thing that was not kept."""
    found = re.findall(r"^(create|update|retire|replace) +(\S.*?)  ", printed, re.M)
    return {what: action for action, what in found}


def api() -> Any:
    return gateway.api()


def price_of(tier: str, interval: str = "month") -> TierPrice:
    return TierPrice.objects.filter(tier__key=tier, interval=interval).latest("pk")


def add_price(tier: str, amount: int) -> TierPrice:
    return TierPrice.objects.create(
        tier=Tier.objects.get(key=tier), interval="month", amount=amount, currency="eur"
    )


def test_a_dry_run_prints_the_plan_and_does_nothing(stripe_at_hand: SandboxProcess) -> None:
    printed = set_up("--dry-run")
    assert actions(printed) == {
        "product holdfast_pro": "create",
        "product holdfast_business": "create",
        "price of Pro, €19 a month": "create",
        "price of Pro, €190 a year": "create",
        "price of Business, €49 a month": "create",
        "price of Business, €490 a year": "create",
        "billing portal": "create",
        f"webhook endpoint under {BASE_URL}": "create",
    }
    assert {call["method"] for call in stripe_at_hand.requests()} == {"GET"}
    assert not TierPrice.objects.at_stripe().exists()
    assert not WebhookEndpoint.objects.exists()


def test_it_does_what_it_printed_from_the_tiers_in_the_database(
    stripe_at_hand: SandboxProcess,
) -> None:
    planned = set_up("--dry-run")
    printed = set_up()
    assert printed.startswith(planned)
    assert "Stripe is set up" in printed
    yearly = Price.objects.get(lookup_key="holdfast_pro_year")
    assert yearly.stripe_data["unit_amount"] == 19_000
    assert price_of("pro", "year").stripe_price_id == yearly.id
    (at_stripe,) = gateway.list_webhook_endpoints()
    endpoint = WebhookEndpoint.objects.get()
    assert (endpoint.id, endpoint.url) == (at_stripe["id"], at_stripe["url"])
    assert at_stripe["api_version"] == "2026-05-27.dahlia"
    assert at_stripe["enabled_events"] == EVENTS
    assert decrypt(endpoint.secret).startswith("whsec_")
    assert "whsec_" not in endpoint.secret
    assert "secret" not in endpoint.stripe_data


def what_is_there() -> tuple[list[Mapping[str, object]], list[Mapping[str, object]]]:
    return (
        list(TierPrice.objects.order_by("pk").values()),
        list(WebhookEndpoint.objects.order_by("pk").values("id", "secret")),
    )


def test_a_second_time_it_changes_nothing(stripe_at_hand: SandboxProcess) -> None:
    set_up()
    calls = len(stripe_at_hand.requests())
    before = what_is_there()
    printed = set_up()
    again = what_is_there()
    assert again == before
    assert actions(printed) == {}
    assert "Nothing was to be done." in printed
    assert {call["method"] for call in stripe_at_hand.requests()[calls:]} == {"GET"}


@pytest.mark.parametrize("done", range(1, 9))
def test_one_that_was_broken_off_is_completed(stripe_at_hand: SandboxProcess, done: int) -> None:
    """After so many calls that change something, the next is answered, and nobody hears it."""
    lost = {"path": "/v1/*", "method": "POST", "drop": True, "after_effect": True, "times": 1}
    fair = {"path": "/v1/*", "method": "POST", "delay_ms": 0, "times": done - 1}
    stripe_at_hand.weather([fair, lost] if done > 1 else [lost])
    with pytest.raises(CommandError, match="run it again to complete it"):
        set_up()
    stripe_at_hand.weather([])
    set_up()
    assert actions(set_up()) == {}
    assert len(api().prices.list({"limit": 100}).data) == 4
    assert len(gateway.list_webhook_endpoints()) == 1
    assert TierPrice.objects.at_stripe().count() == 4


def test_another_amount_is_another_price_and_the_former_is_archived_and_goes_on_serving(
    stripe_at_hand: SandboxProcess,
) -> None:
    set_up()
    old = price_of("pro")
    new = add_price("pro", 2_500)
    assert actions(set_up()) == {
        "price of Pro, €25 a month": "create",
        "price of Pro, €19 a month": "retire",
        "billing portal": "update",
    }
    new.refresh_from_db()
    assert plans.is_sold(new)
    assert not plans.is_sold(old)
    assert api().prices.retrieve(old.stripe_price_id).unit_amount == 1_900
    assert not api().prices.retrieve(old.stripe_price_id).active
    assert TierPrice.objects.filter(pk=old.pk, stripe_price_id=old.stripe_price_id).exists()
    assert actions(set_up()) == {}


def test_a_tier_that_is_retired_and_offered_again_and_one_that_is_renamed(
    stripe_at_hand: SandboxProcess,
) -> None:
    set_up()
    Tier.objects.filter(key="pro").update(is_offered=False, name="Team")
    assert actions(set_up()) == {
        "product holdfast_pro": "update",
        "price of Team, €19 a month": "retire",
        "price of Team, €190 a year": "retire",
        "billing portal": "update",
    }
    Tier.objects.filter(key="pro").update(is_offered=True)
    assert actions(set_up()) == {
        "price of Team, €19 a month": "update",
        "price of Team, €190 a year": "update",
        "billing portal": "update",
    }
    assert actions(set_up()) == {}


def test_a_price_that_was_made_by_hand_is_left_alone_and_sold(
    stripe_at_hand: SandboxProcess,
) -> None:
    set_up()
    own = gateway.create_price(
        product_id="holdfast_pro", lookup_key="own", currency="eur", amount=900, interval="month"
    )
    TierPrice.objects.create(
        tier=Tier.objects.get(key="pro"), interval="month", stripe_price_id=own["id"]
    )
    assert actions(set_up()) == {"price of Pro, €19 a month": "retire", "billing portal": "update"}
    assert api().prices.retrieve(own["id"]).active
    assert actions(set_up()) == {}


def made_by_hand(**fields: Any) -> str:
    product = api().products.create({"name": "Made by hand"}).id
    recurring = {"interval": "month"}
    price = {"product": product, "currency": "eur", "unit_amount": 900, "recurring": recurring}
    return str(api().prices.create(price | fields).id)


@pytest.mark.parametrize("is_missing", [True, False])
def test_a_price_made_by_hand_that_cannot_be_bought_takes_nothing_off_sale(
    stripe_at_hand: SandboxProcess, is_missing: bool
) -> None:
    set_up()
    old = price_of("pro")
    id = "price_mistyped" if is_missing else made_by_hand(active=False)
    TierPrice.objects.create(tier=old.tier, interval="month", stripe_price_id=id)
    assert actions(set_up()) == {}
    assert plans.is_sold(old)


def test_a_price_made_by_hand_is_kept_also_when_staff_say_its_amount(
    stripe_at_hand: SandboxProcess,
) -> None:
    set_up()
    row = add_price("pro", 900)
    id = made_by_hand()
    TierPrice.objects.filter(pk=row.pk).update(stripe_price_id=id)
    assert actions(set_up()) == {"price of Pro, €19 a month": "retire", "billing portal": "update"}
    assert price_of("pro").stripe_price_id == id
    assert plans.is_sold(row)


def test_the_portal_is_put_right_when_it_was_changed_at_stripe_or_nothing_is_sold(
    stripe_at_hand: SandboxProcess,
) -> None:
    set_up()
    ours = gateway.find_portal_configuration()
    assert ours is not None
    changed = {"features": {"subscription_cancel": {"enabled": False}}}
    api().billing_portal.configurations.update(ours["id"], changed)
    assert actions(set_up()) == {"billing portal": "update"}
    assert actions(set_up()) == {}
    Tier.objects.exclude(key="free").update(is_offered=False)
    set_up()
    ours = gateway.find_portal_configuration()
    assert ours is not None
    assert not ours["features"]["subscription_update"]["enabled"]
    assert actions(set_up()) == {}


def test_the_endpoint_is_mended_in_place_or_replaced_without_a_gap(
    stripe_at_hand: SandboxProcess,
) -> None:
    set_up()
    what = f"webhook endpoint under {BASE_URL}"
    first = WebhookEndpoint.objects.get().id
    for wrong in ({"enabled_events": ["invoice.paid"]}, {"disabled": True}):
        api().webhook_endpoints.update(first, wrong)
        assert actions(set_up()) == {what: "update"}
        (mended,) = gateway.list_webhook_endpoints()
        assert (mended["id"], mended["status"]) == (first, "enabled")
        assert mended["enabled_events"] == EVENTS
    # One whose secret is not known here.
    WebhookEndpoint.objects.all().delete()
    calls = len(stripe_at_hand.requests())
    assert actions(set_up()) == {what: "replace", f"webhook endpoint {first}": "retire"}
    made = [
        call["method"]
        for call in stripe_at_hand.requests()[calls:]
        if call["method"] != "GET" and call["path"].startswith("/v1/webhook_endpoints")
    ]
    assert made == ["POST", "DELETE"]
    (at_stripe,) = gateway.list_webhook_endpoints()
    assert WebhookEndpoint.objects.get().id == at_stripe["id"]


def test_an_endpoint_of_another_version_is_replaced(
    stripe_at_hand: SandboxProcess, settings: Settings
) -> None:
    set_up()
    old = WebhookEndpoint.objects.get()
    settings.STRIPE_API_VERSION = "2026-06-24.dahlia"
    printed = set_up()
    assert "it speaks another version of Stripe's API" in printed
    (at_stripe,) = gateway.list_webhook_endpoints()
    assert at_stripe["api_version"] == "2026-06-24.dahlia"
    assert WebhookEndpoint.objects.get().id == at_stripe["id"] != old.id


def test_another_account_is_set_up_afresh(stripe_at_hand: SandboxProcess) -> None:
    set_up()
    stripe_at_hand.reset()
    assert actions(set_up())["price of Pro, €19 a month"] == "replace"
    assert actions(set_up()) == {}
    (at_stripe,) = gateway.list_webhook_endpoints()
    assert WebhookEndpoint.objects.get().id == at_stripe["id"]


def test_whoever_pays_keeps_the_tier_after_a_run_with_another_accounts_key(
    stripe_account: SandboxProcess, payer: Payer
) -> None:
    payer.subscribe()
    payer.sync()
    stripe_account.keep("the right account")
    stripe_account.reset()
    set_up()
    stripe_account.reset(to="the right account")
    tier = payer.sync().tier
    assert tier is not None
    assert tier.key == "pro"


def test_an_endpoint_whose_address_was_changed_at_stripe_is_replaced(
    stripe_at_hand: SandboxProcess,
) -> None:
    set_up()
    moved = {"url": f"{BASE_URL}/stripe/webhook/elsewhere/"}
    api().webhook_endpoints.update(WebhookEndpoint.objects.get().id, moved)
    assert "its address was changed at Stripe" in set_up()
    (at_stripe,) = gateway.list_webhook_endpoints()
    assert WebhookEndpoint.objects.get().url == at_stripe["url"] != moved["url"]


# --- Keys, outages and the proof ------------------------------------------------------------------


def test_a_live_key_is_touched_only_as_meant(settings: Settings, db: None) -> None:
    settings.STRIPE_LIVE_MODE = True
    with pytest.raises(CommandError, match="add --live"):
        set_up()
    settings.STRIPE_LIVE_MODE = False
    with pytest.raises(CommandError, match="is not a live key"):
        set_up("--live")


def test_stripe_out_of_reach_is_one_clear_sentence(stripe_at_hand: SandboxProcess) -> None:
    stripe_at_hand.weather([{"path": "/v1/*", "status": 500}])
    with pytest.raises(CommandError, match="Stripe could not be set up"):
        set_up()


@pytest.mark.django_db(transaction=True)
def test_it_proves_that_events_arrive_and_leaves_nothing_behind(
    wired_account: SandboxProcess, live_server: Any
) -> None:
    customers = len(api().customers.list({"limit": 100}).data)
    printed = set_up(base_url=live_server.url, proof=True)
    assert "events arrive, and their signatures hold" in printed
    assert len(api().customers.list({"limit": 100}).data) == customers


@pytest.mark.django_db(transaction=True)
def test_what_another_endpoint_brings_proves_nothing(
    wired_account: SandboxProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stripe_setup, "PATIENCE", timedelta(seconds=1))
    with pytest.raises(CommandError, match="no event arrived"):
        set_up(proof=True)


@pytest.mark.django_db(transaction=True)
def test_it_says_so_when_no_event_arrives(
    wired_account: SandboxProcess, live_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stripe_setup, "PATIENCE", timedelta(seconds=1))
    WebhookEndpoint.objects.update(secret="whsec_of_another")
    with pytest.raises(CommandError, match=r"no event arrived.*its secret is not the one"):
        set_up(base_url=live_server.url, proof=True)


# --- Prices in the database -----------------------------------------------------------------------


def test_prices_are_planted_once_and_stay_as_staff_made_them(db: None) -> None:
    TierPrice.objects.filter(tier__key="pro").update(amount=2_900)
    services.plant_prices()
    assert TierPrice.objects.count() == 4
    assert price_of("pro").amount == 2_900


def test_a_price_that_was_made_is_edited_in_no_way_but_its_trial(
    stripe_at_hand: SandboxProcess, cast: Cast
) -> None:
    set_up()
    price = price_of("pro")
    page = signed_in(cast.dana).get(reverse("admin:billing_tierprice_change", args=[price.pk]))
    assert set(page.context["adminform"].form.fields) == {"trial_days"}
    price.amount = 1
    with pytest.raises(ValidationError, match="Add another price instead"):
        services.save_tier_price(price=price, by=cast.dana, now=timezone.now())
    price.refresh_from_db()
    price.trial_days = 14
    services.save_tier_price(price=price, by=cast.dana, now=timezone.now())
    assert price_of("pro").trial_days == 14


@pytest.mark.parametrize(
    "fields", [{}, {"amount": 5}, {"currency": "eur"}, {"stripe_price_id": "p", "currency": "eur"}]
)
def test_a_price_is_at_stripe_or_can_be_made(db: None, fields: dict[str, Any]) -> None:
    tier = Tier.objects.get(key="pro")
    with pytest.raises(IntegrityError), transaction.atomic():
        TierPrice.objects.create(tier=tier, interval="month", **fields)
