"""Mails to whoever pays: the outbox, its repeats, and who gets them. Stripe is the sandbox."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from accounts.models import UserEventLog
from billing import gateway, mails, services
from billing.models import PayerMail
from billing.notices import Kind, notices_of
from billing.services import payer_mails
from orgs import clock
from orgs.models import Organization
from tests.billing.situations import EACH
from tests.billing.stripe_objects import NOW
from tests.cast import PASSWORD, Cast, lock, signed_in
from tests.payer import Payer
from tests.staff import make_developer
from tests.together import together

FAILS_LATER, GOOD = "4000000000000341", "4242424242424242"
CONFIRMS_ALWAYS = "pm_card_authenticationRequired"
DOWN = "tests.billing.test_payer_mails.Down"


class Down(EmailBackend):
    """A mail server that is out of reach."""

    def send_messages(self, messages: Any) -> int:
        (to,) = {address for message in messages for address in message.to}
        raise ConnectionRefusedError(f"no route for {to}")


def note(organization: Organization, *kinds: Kind, now: datetime | None = None) -> None:
    """Put what these situations tell into the outbox, as a sync would."""
    held = [notice for kind in kinds for notice in notices_of(EACH[kind], NOW)]
    with transaction.atomic():
        payer_mails.note(organization, held, now or timezone.now())


def sent() -> list[str]:
    """The kinds that were sent, in their order."""
    rows = PayerMail.objects.filter(sent_at__isnull=False).order_by("sent_at", "pk")
    return [str(kind) for kind in rows.values_list("kind", flat=True)]


@pytest.fixture
def outbox(cast: Cast) -> list[Any]:
    """Mails that leave, without those from before."""
    mail.outbox.clear()
    return mail.outbox


@pytest.fixture
def by_clock(payer: Payer, settings: Settings) -> Payer:
    """Acme at Stripe, where it is the present; time can be moved here as there."""
    settings.STRIPE_TEST_CLOCK = payer.sandbox.clock()
    return payer


def sync(payer: Payer) -> None:
    payer.sync()
    services.send_payer_mails(now=clock.now())


# --- What a sync tells, and whom ------------------------------------------------------------------


def test_the_owner_hears_of_the_failure_the_last_day_the_lock_and_the_way_back(
    by_clock: Payer, cast: Cast, settings: Settings, outbox: list[Any]
) -> None:
    settings.BILLING_GRACE_DAYS = 7
    Organization.objects.update(billing_email="bills@example.com")
    by_clock.subscribe()
    sync(by_clock)
    assert sent() == ["receipt"]
    by_clock.change_card(FAILS_LATER)
    by_clock.advance(32)
    sync(by_clock)
    sync(by_clock)
    # Its grace began with the period, which the clock passed by some days.
    for _day in range(8):
        by_clock.advance(1)
        for _time in range(2):
            services.sync_due(now=clock.now())
            services.send_payer_mails(now=clock.now())
    assert sent() == ["receipt", "payment_failed", "grace_ending", "locked"]
    by_clock.change_card(GOOD)
    by_clock.pay()
    sync(by_clock)
    assert sorted(sent()[4:]) == ["receipt", "unlocked"]
    assert {tuple(message.to) for message in outbox} == {("alice@example.com", "bills@example.com")}
    ids = [message.extra_headers["Message-ID"] for message in outbox]
    assert len(ids) == len(set(ids)) == 6
    lines = UserEventLog.objects.filter(event="payer_told")
    assert {line.user_id for line in lines} == {cast.alice.pk}
    assert lines.count() == 6


def test_a_renewal_that_the_bank_wants_confirmed_asks_for_that(by_clock: Payer) -> None:
    payer = by_clock
    payer.subscribe()
    payer.sync()
    customer = Organization.objects.get(pk=payer.organization.pk).stripe_customer_id
    api = gateway.api()
    card = api.payment_methods.attach(CONFIRMS_ALWAYS, {"customer": customer})
    (subscription,) = gateway.list_subscriptions(str(customer))
    api.subscriptions.update(subscription["id"], {"default_payment_method": card.id})
    payer.advance(32)
    sync(payer)
    assert sent()[-1] == "confirmation_needed"
    assert "payment_failed" not in sent()
    standing = payer.organization.standing
    standing.refresh_from_db()
    assert standing.unconfirmed_invoice == PayerMail.objects.latest("pk").stripe_object
    assert standing.payment_method is not None
    assert standing.payment_method["id"] == card.id


def test_a_plan_that_was_canceled_is_told_and_resuming_tells_nothing(by_clock: Payer) -> None:
    payer = by_clock
    payer.subscribe()
    payer.cancel()
    sync(payer)
    payer.resume()
    sync(payer)
    assert sorted(sent()) == ["ending", "receipt"]


def test_the_last_day_is_told_however_lately_stripe_was_asked(
    by_clock: Payer, settings: Settings
) -> None:
    settings.BILLING_GRACE_DAYS = 7
    payer = by_clock
    payer.subscribe()
    payer.change_card(FAILS_LATER)
    payer.advance(32)
    sync(payer)
    lock = Organization.objects.get(pk=payer.organization.pk).locked_from
    assert lock is not None
    for hours, is_told in ((30, False), (20, True)):
        services.advance_test_clock(by=lock - timedelta(hours=hours) - clock.now())
        if hours == 30:
            sync(payer)
        services.sync_due(now=clock.now())
        services.send_payer_mails(now=clock.now())
        assert ("grace_ending" in sent()) is is_told


def test_of_a_closed_organization_nothing_is_told(by_clock: Payer) -> None:
    by_clock.subscribe()
    Organization.objects.filter(pk=by_clock.organization.pk).update(closed_at=clock.now())
    sync(by_clock)
    assert not PayerMail.objects.exists()


def test_what_names_a_person_is_not_kept_of_a_payment_method(payer: Payer) -> None:
    payer.subscribe()
    sync(payer)
    standing = payer.organization.standing
    standing.refresh_from_db()
    kept = standing.payment_method
    assert kept is not None
    assert standing.subscription is not None
    assert kept.keys() == {"id", "type", "brand", "last4", "exp_month", "exp_year"}
    assert standing.subscription.stripe_data["default_payment_method"] == kept["id"]


@pytest.mark.django_db
def test_members_and_former_owners_get_none(cast: Cast) -> None:
    note(cast.acme, Kind.RECEIPT)
    owner_until_now = services.recipients_of(cast.acme)
    assert owner_until_now == ["alice@example.com"]
    Organization.objects.filter(pk=cast.acme.pk).update(billing_email="Alice@Example.com")
    cast.acme.refresh_from_db()
    # One address is written once, whatever its case.
    assert services.recipients_of(cast.acme) == ["alice@example.com"]


@pytest.mark.django_db
def test_its_link_lands_on_the_payment_page_after_log_in_locked_or_not(cast: Cast) -> None:
    note(cast.acme, Kind.PAYMENT_FAILED)
    text = mails.render(PayerMail.objects.get()).text
    (link,) = re.findall(r"^http\S+/billing/$", text, re.M)
    lock(cast.acme)
    browser = Client()
    asked = browser.get(urlsplit(link).path, follow=True)
    fields = {"login": cast.alice.email, "password": PASSWORD, "next": "/billing/"}
    assert "next=/billing/" in asked.redirect_chain[0][0].replace("%2F", "/")
    landed = browser.post(asked.request["PATH_INFO"], fields, follow=True)
    assert landed.redirect_chain[-1][0] == "/billing/"
    assert "Update payment info" in landed.content.decode()


# --- The outbox -----------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_mail_is_sent_after_the_commit_and_never_again(cast: Cast, outbox: list[Any]) -> None:
    with transaction.atomic():
        note(cast.acme, Kind.RECEIPT)
        assert outbox == []
    assert len(outbox) == 1
    note(cast.acme, Kind.RECEIPT)
    assert services.send_payer_mails(now=timezone.now() + timedelta(days=9)) == 0
    assert len(outbox) == 1


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_is_not_sent(cast: Cast, outbox: list[Any]) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        note(cast.acme, Kind.RECEIPT)
        _ = 1 / 0
    assert outbox == []
    assert not PayerMail.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_server_that_is_down_is_tried_again_and_its_error_names_no_address(
    cast: Cast, settings: Settings, outbox: list[Any]
) -> None:
    backend, settings.EMAIL_BACKEND = settings.EMAIL_BACKEND, DOWN
    note(cast.acme, Kind.RECEIPT)
    row = PayerMail.objects.get()
    assert (row.attempts, row.sent_at) == (1, None)
    assert row.last_error == "ConnectionRefusedError: no route for …"
    assert row.next_attempt_at is not None
    settings.EMAIL_BACKEND = backend
    assert services.send_payer_mails(now=row.next_attempt_at - timedelta(seconds=1)) == 0
    PayerMail.objects.update(next_attempt_at=timezone.now())
    assert services.send_payer_mails(now=timezone.now()) == 1
    assert (len(outbox), sent()) == (1, ["receipt"])


@pytest.mark.django_db(transaction=True)
def test_what_cannot_be_sent_for_three_days_is_given_up_and_staff_send_it_again(
    cast: Cast, settings: Settings, outbox: list[Any]
) -> None:
    backend, settings.EMAIL_BACKEND = settings.EMAIL_BACKEND, DOWN
    note(cast.acme, Kind.RECEIPT)
    for _attempt in payer_mails.PAUSES:
        PayerMail.objects.waiting().update(next_attempt_at=timezone.now())
        services.send_payer_mails(now=timezone.now())
    row = PayerMail.objects.get()
    assert (row.attempts, row.next_attempt_at) == (len(payer_mails.PAUSES), None)
    assert sum(payer_mails.PAUSES, timedelta()) > timedelta(days=3)
    settings.EMAIL_BACKEND = backend
    url = reverse("admin:billing_payermail_retry", args=[row.pk])
    looks_only = make_developer("billing.view_payermail", "orgs.view_organization")
    assert signed_in(looks_only).post(url).status_code == 403
    staff = signed_in(cast.dana)
    assert "Send it again" in staff.get(url.replace("retry", "change")).content.decode()
    staff.post(url)
    assert sent() == ["receipt"]
    assert "There is nothing to send again" in staff.post(url, follow=True).content.decode()
    assert len(outbox) == 1
    assert UserEventLog.objects.get(event="payer_mail_retried").actor == cast.dana


@pytest.mark.django_db(transaction=True)
def test_several_failures_end_a_round_and_one_bad_mail_holds_up_no_other(
    cast: Cast, settings: Settings
) -> None:
    with transaction.atomic():
        note(cast.acme, *Kind)
        PayerMail.objects.filter(kind=Kind.RECEIPT).update(facts={})
    assert sorted(sent()) == sorted({*Kind} - {Kind.RECEIPT, Kind.UNLOCKED})
    settings.EMAIL_BACKEND = DOWN
    PayerMail.objects.update(sent_at=None, failed_at=None, next_attempt_at=timezone.now())
    before = sum(PayerMail.objects.values_list("attempts", flat=True))
    services.send_payer_mails(now=timezone.now())
    assert sum(PayerMail.objects.values_list("attempts", flat=True)) == before + 3


@pytest.mark.django_db
def test_what_has_passed_before_it_was_sent_is_not_sent_and_holds_again_if_it_returns(
    cast: Cast,
) -> None:
    note(cast.acme, Kind.PAYMENT_FAILED)
    note(cast.acme)
    row = PayerMail.objects.get()
    assert (row.next_attempt_at, row.withdrawn_at is None) == (None, False)
    assert services.send_payer_mails(now=timezone.now()) == 0
    note(cast.acme, Kind.PAYMENT_FAILED)
    row = PayerMail.objects.get()
    assert (row.next_attempt_at is None, row.withdrawn_at) == (False, None)


@pytest.mark.django_db
def test_the_database_keeps_one_row_for_a_fact_and_one_end_for_a_row(cast: Cast) -> None:
    note(cast.acme, Kind.RECEIPT)
    row = PayerMail.objects.get()
    row.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)
    for change in ({"sent_at": NOW}, {"next_attempt_at": None}):
        with pytest.raises(IntegrityError), transaction.atomic():
            PayerMail.objects.update(**change)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_senders_at_once_send_it_once(
    cast: Cast, settings: Settings, outbox: list[Any]
) -> None:
    settings.TASKS = {"default": {"BACKEND": "django_tasks.backends.dummy.DummyBackend"}}
    note(cast.acme, *Kind)
    now = timezone.now()
    counts = together(*[lambda: services.send_payer_mails(now=now)] * 4)
    assert sum(int(str(count)) for count in counts) == len(outbox)
    ids = [message.extra_headers["Message-ID"] for message in outbox]
    assert len(ids) == len(set(ids)) == PayerMail.objects.count()


# --- The admin ------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_staff_see_each_mail_as_it_reads_in_both_forms(cast: Cast) -> None:
    note(cast.acme, Kind.PAYMENT_FAILED)
    row = PayerMail.objects.get()
    client = signed_in(cast.dana)
    page = client.get(reverse("admin:billing_payermail_change", args=[row.pk])).content.decode()
    assert "A payment for Acme failed" in page
    assert "We could not collect €19." in page
    assert "alice@example.com" in page
    html = client.get(reverse("admin:billing_payermail_html", args=[row.pk]))
    assert "We could not collect €19." in html.content.decode()
    assert html["X-Frame-Options"] == "SAMEORIGIN"
    policy = html["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy


@pytest.mark.django_db
def test_the_list_finds_what_waits_and_what_was_given_up(cast: Cast) -> None:
    note(cast.acme, Kind.PAYMENT_FAILED, Kind.RECEIPT)
    failed = PayerMail.objects.get(kind=Kind.RECEIPT)
    PayerMail.objects.filter(pk=failed.pk).update(failed_at=NOW, next_attempt_at=None)
    client = signed_in(cast.dana)
    assert listed(client, "state=given_up") == [failed.pk]
    assert listed(client, "state=waiting") == [PayerMail.objects.get(failed_at=None).pk]
    assert len(listed(client, "q=acme")) == 2
    assert listed(client, "q=in_paid") == [failed.pk]


@pytest.mark.django_db
def test_staff_who_see_other_organizations_see_none_of_it(cast: Cast) -> None:
    note(cast.acme, Kind.RECEIPT)
    row = PayerMail.objects.get()
    scoped = signed_in(make_developer("billing.view_payermail", "billing.retry_payermail"))
    for name in ("change", "html"):
        answer = scoped.get(reverse(f"admin:billing_payermail_{name}", args=[row.pk]))
        assert answer.status_code in (302, 403, 404)
    assert scoped.post(f"/admin/billing/payermail/{row.pk}/retry/").status_code == 404


def listed(client: Client, query: str) -> list[int]:
    answer = client.get(f"{reverse('admin:billing_payermail_changelist')}?{query}")
    return [row.pk for row in answer.context["cl"].result_list]
