"""The billing page in each state, and the owner's ways to change, cancel and resume a plan."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts.models import UserEventLog
from billing import gateway
from billing.models import Standing, TierPrice
from billing.overview import invoice_row, overview_of, preview_of, price_words
from orgs import clock
from orgs.models import Organization, Tier
from tests.billing.situations import CARD, owed, paid
from tests.billing.stripe_objects import NOW, at, moment, subscription
from tests.cast import Cast, add_member, signed_in
from tests.payer import Payer

OVERVIEW = reverse("billing:overview")


def text_of(answer: Any) -> str:
    words = re.sub(r"<[^>]+>", " ", unescape(answer.content.decode()))
    return " ".join(words.split())


def price_of(tier: str) -> TierPrice:
    return TierPrice.objects.get(tier__key=tier, interval="month")


@pytest.fixture
def paying(payer: Payer, settings: Settings) -> Payer:
    """Acme pays for Pro, and it is the present at Stripe too."""
    settings.STRIPE_TEST_CLOCK = payer.sandbox.clock()
    payer.subscribe()
    payer.sync()
    return payer


@pytest.fixture
def alices(cast: Cast) -> Client:
    return signed_in(cast.alice)


def test_the_page_tells_what_is_paid_when_how_and_what_was(paying: Payer, alices: Client) -> None:
    Tier.objects.filter(key="pro").update(seat_limit=20)
    answer = alices.get(OVERVIEW)
    text = text_of(answer)
    assert "€19 a month" in text
    assert "2 of 20 in use" in text
    renews = clock.now() + timedelta(days=30)
    assert re.search(rf"Next charge \w+\.? \d+, {renews:%Y} : €19", text)
    assert re.search(r"Payment method Visa ending in 4242, valid until \d\d/20\d\d", text)
    (invoice,) = gateway.list_recent_invoices(str(paying.sync().stripe_customer_id))[0]
    assert "€19 Paid" in text
    assert invoice["number"] in text
    assert f'href="{invoice["invoice_pdf"]}"' in answer.content.decode()
    # It asks Stripe nothing, and so opens whatever state that is in.
    asked = len(paying.sandbox.requests())
    assert alices.get(OVERVIEW).status_code == 200
    assert len(paying.sandbox.requests()) == asked


def test_a_change_of_plan_shows_what_it_costs_today_before_stripe_asks(
    paying: Payer, alices: Client, cast: Cast
) -> None:
    business = price_of("business")
    page = alices.get(reverse("billing:change_plan"), {"price": business.pk})
    text = text_of(page)
    assert "Business costs €49 a month." in text
    assert "To pay today €30" in text
    asked = alices.post(reverse("billing:subscribe"), {"price": business.pk})
    paying.browser.open(asked["Location"])
    assert "switch-form" in {form.id for form in paying.browser.page.forms}
    # Nothing was changed by looking.
    (listed,) = gateway.list_subscriptions(str(paying.sync().stripe_customer_id))
    assert listed["items"]["data"][0]["price"]["unit_amount"] == 1_900


def test_a_smaller_plan_says_what_the_team_would_lose(
    payer: Payer, alices: Client, cast: Cast, settings: Settings
) -> None:
    settings.STRIPE_TEST_CLOCK = payer.sandbox.clock()
    payer.subscribe("business")
    payer.sync()
    Tier.objects.filter(key="pro").update(seat_limit=2)
    add_member(cast.acme)
    text = text_of(alices.get(reverse("billing:change_plan"), {"price": price_of("pro").pk}))
    assert "Kept for your next invoices €30" in text
    assert "Your team would no longer have:" in text
    assert "Export the activity log" in text
    assert "Pro has 2 seats, and 3 are in use. Nobody is removed" in text


def test_a_plan_is_canceled_to_its_end_and_resumed(paying: Payer, alices: Client) -> None:
    assert "Your plan ends with what is paid." in text_of(
        alices.post(reverse("billing:cancel"), follow=True)
    )
    standing = Standing.objects.get(organization=paying.organization)
    assert standing.status == "current"
    assert standing.ends_at is not None
    page = text_of(alices.get(OVERVIEW))
    assert "Resume the plan" in page
    assert "Next charge" not in page
    assert "Your plan goes on." in text_of(alices.post(reverse("billing:resume"), follow=True))
    standing = Standing.objects.get(organization=paying.organization)
    assert standing.ends_at is None
    lines = UserEventLog.objects.filter(event__startswith="plan_").order_by("pk")
    owner = standing.organization.owner_id
    assert [(line.event, line.actor_id) for line in lines] == [
        ("plan_canceled", owner),
        ("plan_resumed", owner),
    ]


def test_a_price_that_stripe_archived_meanwhile_is_offered_no_more(
    paying: Payer, alices: Client
) -> None:
    business = price_of("business")
    gateway.api().prices.update(business.stripe_price_id, {"active": False})
    answer = alices.get(reverse("billing:change_plan"), {"price": business.pk}, follow=True)
    assert "no longer offered at that price" in text_of(answer)


def test_what_is_owed_and_when_it_is_tried_again_is_told(
    paying: Payer, alices: Client, settings: Settings
) -> None:
    settings.BILLING_GRACE_DAYS = 7
    paying.change_card("4000000000000341")
    paying.advance(31)
    paying.sync()
    text = text_of(alices.get(OVERVIEW))
    assert re.search(r"Owed €19 ?, tried again on \w+\.? \d+, \d{4}", text)
    assert "Please pay by" in text
    settings.BILLING_GRACE_DAYS = 0
    paying.sync()
    assert "Please pay by" not in text_of(alices.get(OVERVIEW))


def test_stripe_out_of_reach_changes_nothing_and_says_so(paying: Payer, alices: Client) -> None:
    paying.sandbox.weather([{"path": "/v1/*", "status": 500}])
    for page in ("cancel", "resume"):
        assert alices.post(reverse(f"billing:{page}")).status_code == 503
    preview = alices.get(reverse("billing:change_plan"), {"price": price_of("business").pk})
    assert preview.status_code == 503
    paying.sandbox.weather([])
    paying.sync()
    assert Standing.objects.get(organization=paying.organization).ends_at is None


def test_a_payment_that_waits_leads_to_stripes_page_for_it(
    paying: Payer, alices: Client, cast: Cast
) -> None:
    customer = str(paying.sync().stripe_customer_id)
    api = gateway.api()
    card = api.payment_methods.attach("pm_card_authenticationRequired", {"customer": customer})
    (living,) = gateway.list_subscriptions(customer)
    api.subscriptions.update(living["id"], {"default_payment_method": card.id})
    paying.advance(32)
    paying.sync()
    page = text_of(alices.get(OVERVIEW))
    assert "A payment waits for you" in page
    answer = alices.get(reverse("billing:confirm_payment"))
    (invoice,) = gateway.list_open_invoices(customer)
    assert answer["Location"] == invoice["hosted_invoice_url"]


def test_a_trial_is_granted_once(payer: Payer, alices: Client, settings: Settings) -> None:
    settings.STRIPE_TEST_CLOCK = payer.sandbox.clock()
    TierPrice.objects.filter(pk=price_of("pro").pk).update(trial_days=14)
    payer.sync()
    assert "The first 14 days are free." in text_of(alices.get(OVERVIEW))
    payer.subscribe()
    payer.sync()
    page = text_of(alices.get(OVERVIEW))
    assert re.search(r"Trial ends \w+\.? \d+, \d{4} \. Then €19 is charged\.", page)
    (trial,) = gateway.list_subscriptions(str(payer.sync().stripe_customer_id))
    assert trial["status"] == "trialing"
    change = alices.get(reverse("billing:change_plan"), {"price": price_of("business").pk})
    assert "Your trial goes on until" in text_of(change)
    assert "To pay today" not in text_of(change)
    gateway.cancel_subscription(trial["id"])
    payer.sync()
    assert "days are free" not in text_of(alices.get(OVERVIEW))
    payer.subscribe()
    statuses = [
        each["status"] for each in gateway.list_subscriptions(str(payer.sync().stripe_customer_id))
    ]
    assert statuses == ["active", "canceled"]


# --- The words ------------------------------------------------------------------------------------


def item(amount: int | None = 1_900, **fields: Any) -> dict[str, Any]:
    recurring = {"interval": "month", "interval_count": 1}
    price = {"unit_amount": amount, "currency": "eur", "recurring": recurring}
    return {"price": price | fields, "quantity": fields.pop("quantity", 1)} | {
        "current_period_end": at(20)
    }


@pytest.mark.parametrize(
    ("written", "words"),
    [
        (item(), "€19 a month"),
        (item(1_950, currency="usd"), "$19.50 a month"),
        (item(1_900, currency="jpy"), "¥1,900 a month"),
        (item(None), ""),
        (item(recurring={"interval": "year"}), "€19 a year"),
        (item(recurring={"interval": "week"}), "€19 a week"),
        (item(recurring={"interval": "month", "interval_count": 3}), "€19 every 3 months"),
        (item() | {"quantity": 5}, "5 × €19 a month"),  # noqa: RUF001
    ],
)
def test_a_price_in_words(written: dict[str, Any], words: str) -> None:
    assert price_words(written) == words


def told(status: str, *, items: list[Any] | None = None, **fields: Any) -> Any:
    facts = {name: fields.pop(name) for name in ("payment_method", "ends_at") if name in fields} | {
        "status": "current"
    }
    standing = Standing(
        organization=Organization(name="Acme"), **({"payment_method": CARD} | facts)
    )
    data = subscription(status, items={"data": items or [item()]}, currency="eur", **fields)

    class Mirrored:
        stripe_data = data

    standing.__dict__["subscription_id"] = "sub_1"
    standing._state.fields_cache["subscription"] = Mirrored()
    return overview_of(standing, NOW)


def test_the_next_charge_is_what_the_items_cost_at_the_first_end() -> None:
    charge = told("active", items=[item(), item(100) | {"quantity": 3}]).charge
    assert (charge.at, charge.amount, charge.is_before_tax) == (moment(20), "€22", False)
    assert told("active", automatic_tax={"enabled": True}).charge.is_before_tax
    assert told("active", items=[item(None)]).charge.amount is None
    assert told("active", ends_at=moment(3)).charge is None
    # One that ends later is charged once more before that.
    assert told("active", ends_at=moment(80)).charge.at == moment(20)
    assert told("past_due").charge is None


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "Then €19 is charged."),
        ({"ends_at": moment(2)}, "Then the plan ends, and nothing is charged."),
        ({"ends_at": moment(80)}, "Then €19 is charged."),
        ({"items": [item(None)]}, "Then the first payment is due."),
        ({"payment_method": None}, "Then an invoice is due. Add a payment method before."),
        (
            {
                "payment_method": None,
                "trial_settings": {"end_behavior": {"missing_payment_method": "cancel"}},
            },
            "Then the plan ends, unless there is a payment method by then.",
        ),
        (
            {
                "payment_method": None,
                "trial_settings": {"end_behavior": {"missing_payment_method": "pause"}},
            },
            "Then the plan is paused, unless there is a payment method by then.",
        ),
    ],
)
def test_a_trial_says_what_happens_then(fields: dict[str, Any], words: str) -> None:
    trial = told("trialing", trial_end=at(2), **fields).trial
    assert (trial.ends_at, trial.then) == (moment(2), words)


@pytest.mark.parametrize(
    ("card", "words", "flags"),
    [
        (CARD, "Visa ending in 4242", (False, False)),
        (CARD | {"exp_year": 2026, "exp_month": 6}, "Visa ending in 4242", (False, True)),
        (CARD | {"exp_year": 2026, "exp_month": 5}, "Visa ending in 4242", (True, False)),
        (
            {"type": "sepa_debit", "brand": "", "last4": "3000", "exp_month": None},
            "SEPA direct debit ending in 3000",
            (False, False),
        ),
    ],
)
def test_a_payment_method_in_words(
    card: dict[str, Any], words: str, flags: tuple[bool, bool]
) -> None:
    method = told("active", payment_method=card).method
    assert (method.words, (method.is_expired, method.expires_soon)) == (words, flags)


def test_an_invoice_tells_its_tax_as_stripe_gives_it() -> None:
    row = invoice_row(paid(total=2_261, total_taxes=[{"amount": 361}]))
    assert (row.total, row.tax, row.status, row.is_open) == ("€22.61", "€3.61", "Paid", False)
    assert invoice_row(owed(total=1_900)).is_open
    assert invoice_row(owed(total=1_900, status="new")).status == "new"


def test_a_preview_tells_lines_tax_and_what_is_due_or_kept() -> None:
    lines = [{"description": "Unused time", "amount": -900}, {"description": "Pro", "amount": 1900}]
    invoice = {"currency": "eur", "lines": {"data": lines}, "total_taxes": [{"amount": 190}]}
    due = preview_of(invoice | {"total": 1_190, "amount_due": 1_190})
    assert due.lines == [("Unused time", "-€9"), ("Pro", "€19")]
    assert (due.tax, due.total, due.is_credit, due.credit) == ("€1.90", "€11.90", False, "")
    used = preview_of(invoice | {"total": 1_190, "amount_due": 190})
    assert (used.credit, used.total) == ("€10", "€1.90")
    kept = preview_of(invoice | {"total": -900, "amount_due": 0})
    assert (kept.total, kept.is_credit) == ("€9", True)
