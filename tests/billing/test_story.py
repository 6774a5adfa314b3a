"""An organization's page in the admin answers support's ten questions, in one place."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from djstripe.models import Event
from pytest_django import Settings

from accounts.models import UserEventLog
from billing import gateway, heard, services
from billing.models import PayerMail, Standing, SyncAttempt
from billing.services import leases
from billing.story import Known, story_of
from orgs import clock
from orgs.models import Organization
from tests.billing.situations import CARD, owed
from tests.billing.stripe_objects import NOW, at, moment, subscription
from tests.cast import Cast, signed_in
from tests.payer import Payer
from tests.staff import make_developer

FAILS_LATER, GOOD = "4000000000000341", "4242424242424242"
KEYS = ["payer", "why", "since", "sent", "stripe", "changed", "next", "unlock", "synced", "where"]


def page_of(client: Client, organization: Organization) -> str:
    url = reverse("admin:orgs_organization_change", args=[organization.pk])
    return unescape(client.get(url).content.decode())


def answers_on(page: str) -> dict[str, str]:
    found = re.findall(r'<dd id="answer-(\w+)">(.*?)</dd>', page, re.S)
    return {key: " ".join(re.sub(r"<[^>]+>", " ", body).split()) for key, body in found}


def test_support_finds_ten_answers_about_a_team_that_did_not_pay(
    wired_payer: Payer, cast: Cast, settings: Settings
) -> None:
    payer = wired_payer
    payer.sync()
    payer.subscribe()
    payer.sandbox.flush()
    payer.change_card(FAILS_LATER)
    payer.advance(32)
    payer.sandbox.flush()
    acme = payer.sync()
    services.send_payer_mails(now=clock.now())
    standing = Standing.objects.get(organization=acme)
    (invoice,) = gateway.list_open_invoices(str(acme.stripe_customer_id))

    page = page_of(signed_in(cast.dana), acme)
    told = answers_on(page)
    assert list(told) == KEYS
    assert "(alice@example.com) owns it." in told["payer"]
    assert "Visa ending in 0341, valid until" in told["payer"]
    assert f"{standing.subscription_id} is past due" in told["why"]
    assert f"({invoice['id']}) of €19 could not be collected" in told["why"]
    assert "members are kept out" in told["why"]
    assert f"Locked since {acme.locked_from:%Y-%m-%d %H:%M} UTC." in told["since"]
    assert f"“a payment failed” ({invoice['id']})" in told["sent"]
    assert f"{standing.subscription_id} is past_due." in told["stripe"]
    assert "with €19 to pay; tried 1 times" in told["stripe"]
    assert "Last: Stripe, as a sync found" in told["changed"]
    # Its clock is behind ours, so that what lay ahead there lies behind.
    assert told["next"] == "Nothing that has a date."
    assert f"Paying {invoice['id']} (€19): the owner does, under Billing." in told["unlock"]
    assert f"Last asked Stripe at {standing.synced_at:%Y-%m-%d %H:%M}" in told["synced"]
    assert told["where"].split() == [
        acme.stripe_customer_id,
        standing.subscription_id,
        invoice["id"],
    ]
    assert f'href="{payer.sandbox.url}/objects/{invoice["id"]}"' in page
    # What changed, what was heard, and what came of the syncs.
    assert "status: current → past due" in page
    event = Event.objects.get(type="invoice.payment_failed")
    assert f">{event.id}</a>), synced since" in page
    assert re.search(r"UTC: synced, \d+ ms", page)


def test_another_customers_events_are_not_told(wired_payer: Payer, cast: Cast) -> None:
    wired_payer.sync()
    other = gateway.create_throwaway_customer()["id"]
    gateway.touch_customer(other)
    wired_payer.sandbox.flush()
    (event,) = [row for row in Event.objects.all() if row.data["object"]["id"] == other]
    assert event.id not in page_of(signed_in(cast.dana), wired_payer.sync())


def test_the_last_change_is_told_however_much_was_said_since(cast: Cast) -> None:
    for event in ("standing_changed", *["payer_told"] * 12):
        UserEventLog.objects.create(event=event, organization=cast.acme, data={})
    told = answers_on(page_of(signed_in(cast.dana), cast.acme))
    assert "since it was founded" not in told["since"]
    assert "Last: Stripe" in told["changed"]


def test_a_customers_events_are_found_by_the_index(db: None) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # Of so few rows, it would rather read all.
            cursor.execute("SET LOCAL enable_seqscan = off")
        how = heard.events_of("cus_1")[:10].explain()
    assert heard.NAME in how
    assert "SCAN" not in how


def test_sync_now_says_what_came_of_it_and_leaves_a_line(payer: Payer, cast: Cast) -> None:
    acme = payer.sync()
    url = reverse("admin:billing_standing_sync", args=[acme.standing.pk])
    staff = signed_in(cast.dana)
    assert staff.get(url).status_code == 405
    payer.subscribe()
    assert "this is what Stripe says now" in staff.post(url, follow=True).content.decode()
    assert Standing.objects.get(organization=acme).status == "current"
    payer.sandbox.weather([{"path": "/v1/*", "status": 500}])
    page = unescape(staff.post(url, follow=True).content.decode())
    assert "Stripe could not be asked:" in page
    assert "The last sync did not succeed:" in answers_on(page)["synced"]
    payer.sandbox.weather([])
    lines = UserEventLog.objects.filter(event="sync_requested")
    assert {line.actor for line in lines} == {cast.dana}
    assert lines.count() == 2
    outcomes = SyncAttempt.objects.order_by("-pk").values_list("outcome", flat=True)
    assert list(outcomes)[:2] == ["unavailable", "synced"]


def test_sync_now_waits_for_another_process_and_no_longer_than_it_must(
    payer: Payer, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme = payer.sync()
    monkeypatch.setattr("billing.admin_story.PATIENCE", timedelta(0))
    leases.take(acme.pk, clock.now())
    url = reverse("admin:billing_standing_sync", args=[acme.standing.pk])
    page = signed_in(cast.dana).post(url, follow=True).content.decode()
    assert "Another process is at it." in page
    assert "It is being synced at this moment." in answers_on(page)["synced"]


def test_who_may_not_sees_no_button_and_is_refused(cast: Cast) -> None:
    url = reverse("admin:billing_standing_sync", args=[cast.acme.standing.pk])
    looks = make_developer(
        "orgs.view_organization", "billing.view_standing", "accounts.view_usereventlog"
    )
    page = page_of(signed_in(looks), cast.acme)
    assert "Sync now" not in page
    assert list(answers_on(page)) == KEYS
    assert signed_in(looks).post(url).status_code == 403
    scoped = make_developer("billing.view_standing", "billing.sync_standing")
    assert signed_in(scoped).post(url).status_code == 404


def test_syncs_are_kept_for_each_organization_and_only_the_newest(payer: Payer) -> None:
    acme = payer.sync()
    SyncAttempt.objects.bulk_create(
        SyncAttempt(organization=acme, began_at=NOW, milliseconds=n, outcome="synced")
        for n in range(30)
    )
    payer.sync()
    kept = SyncAttempt.objects.filter(organization=acme).order_by("-pk")
    assert kept.count() == 20
    assert kept[1].milliseconds == 29


def test_a_sync_that_breaks_is_kept_though_it_wrote_nothing(
    payer: Payer, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_off(*args: Any) -> None:
        raise ZeroDivisionError("by chance")

    monkeypatch.setattr("billing.services.projection.write", break_off)
    with pytest.raises(ZeroDivisionError):
        payer.sync()
    attempt = SyncAttempt.objects.get(organization=cast.acme)
    assert (attempt.outcome, attempt.error) == ("failed", "ZeroDivisionError: by chance")


def test_the_page_asks_as_much_however_much_has_happened(cast: Cast) -> None:
    staff = signed_in(cast.dana)
    page_of(staff, cast.acme)
    counts = []
    for turn in range(2):
        now = timezone.now()
        UserEventLog.objects.bulk_create(
            UserEventLog(event="standing_changed", organization=cast.acme, data={})
            for _ in range(100)
        )
        PayerMail.objects.bulk_create(
            PayerMail(
                organization=cast.acme,
                kind="receipt",
                stripe_object=f"in_{turn}_{number}",
                since=now,
                facts={},
                created_at=now,
                sent_at=now,
            )
            for number in range(100)
        )
        SyncAttempt.objects.bulk_create(
            SyncAttempt(organization=cast.acme, began_at=now, milliseconds=1, outcome="synced")
            for _ in range(100)
        )
        with CaptureQueriesContext(connection) as queries:
            page_of(staff, cast.acme)
        counts.append(len(queries))
    assert counts[0] == counts[1]


# --- The sentences --------------------------------------------------------------------------------


@pytest.fixture
def known(cast: Cast) -> Known:
    standing = Standing(organization=cast.acme, synced_at=NOW, payment_method=CARD)
    return Known(
        organization=cast.acme,
        standing=standing,
        subscription=None,
        open_invoices=[],
        mails=[],
        attempts=[],
        changed_at=None,
        changed_by="",
        stripe_url="https://stripe.example/{kind}/{id}",
    )


def tell(known: Known, facts: dict[str, Any], locked: float | None = None) -> dict[str, str]:
    organization = known.organization
    organization.locked_from = None if locked is None else moment(locked)
    organization.closed_at = facts.pop("closed_at", None)
    told = facts.pop("subscription", None)
    invoices = facts.pop("open_invoices", [])
    for name, value in facts.items():
        setattr(known.standing, name, value)
    if told is not None:
        known.standing.subscription_id = told["id"]
    answers = story_of(replace(known, subscription=told, open_invoices=invoices), NOW)
    return {answer.key: " ".join(answer.sentences) for answer in answers}


PRO = subscription("active", id="sub_1")


@pytest.mark.parametrize(
    ("facts", "locked", "key", "words"),
    [
        ({}, None, "why", "It has no subscription: it is on the free tier. Members get in."),
        ({}, None, "unlock", "Nothing needs to: it is not locked."),
        ({}, None, "next", "Nothing that has a date."),
        ({"status": "current", "subscription": PRO}, None, "why", "sub_1 is paid."),
        (
            {"status": "current", "subscription": PRO},
            None,
            "next",
            "2026-07-05 12:00 UTC: it ren",
        ),
        (
            {"status": "current", "subscription": subscription("trialing", trial_end=at(3))},
            None,
            "next",
            "2026-06-18 12:00 UTC: the trial ends.",
        ),
        (
            {"status": "current", "subscription": PRO, "ends_at": moment(9)},
            None,
            "next",
            "2026-06-24 12:00 UTC: the plan ends.",
        ),
        (
            {"status": "current", "subscription": PRO, "reason": "unmapped_price"},
            None,
            "why",
            "whose price buys no tier here",
        ),
        (
            {
                "status": "past_due",
                "subscription": subscription("past_due"),
                "open_invoices": [owed()],
            },
            1,
            "next",
            "2026-06-16 12:00 UTC: members are locked out. "
            "2026-06-17 12:00 UTC: Stripe tries to collect in_owed again.",
        ),
        (
            {"status": "lapsed", "reason": "paused", "subscription": subscription("paused")},
            -1,
            "unlock",
            "Resuming the subscription at Stripe. Or an exemption, by our staff.",
        ),
        (
            {"status": "lapsed", "reason": "unpaid", "subscription": subscription("unpaid")},
            -1,
            "why",
            "Its subscription sub_1 is unpaid. So members are kept out",
        ),
        (
            {"status": "lapsed", "reason": "payment_failed", "subscription": PRO},
            -1,
            "unlock",
            "A new subscription, or the free tier, if the owner chooses it",
        ),
        (
            {"status": "lapsed", "reason": "customer_deleted"},
            -1,
            "why",
            "Its customer was deleted at Stripe.",
        ),
        ({"status": "lapsed", "reason": "no_subscription"}, -1, "why", "there is no free tier"),
        ({"unconfirmed_invoice": "in_1"}, None, "why", "The payment of in_1 waits for the owner"),
        (
            {"exempt_until": moment(3), "exempt_reason": "Strike."},
            None,
            "why",
            "Our staff exempted it until 2026-06-18 12:00 UTC: Strike.",
        ),
        ({"exempt_until": moment(3)}, None, "next", "2026-06-18 12:00 UTC: the exemption ends."),
        ({"closed_at": moment(-1)}, None, "unlock", "Its owner reopens it."),
        ({"closed_at": moment(-1)}, None, "next", "2026-07-14 12:00 UTC: it is removed for good."),
        ({"synced_at": None}, None, "synced", "Never so far."),
        ({"sync_requested_at": moment(-1)}, None, "synced", "A sync is asked for since 2026-06-14"),
        ({"payment_method": None}, None, "payer", "No payment method is known."),
        (
            {"payment_method": CARD | {"exp_year": 2025}},
            None,
            "payer",
            "Visa ending in 4242, which has expired.",
        ),
    ],
)
def test_each_state_has_its_words(
    known: Known, facts: dict[str, Any], locked: float | None, key: str, words: str
) -> None:
    assert words in tell(known, dict(facts), locked)[key]


def test_who_changed_it_is_named(known: Known) -> None:
    changed = replace(known, changed_at=NOW, changed_by="Dana")
    answers = {answer.key: answer.sentences for answer in story_of(changed, NOW)}
    assert answers["changed"] == ["Last: Dana, 2026-06-15 12:00 UTC."]
