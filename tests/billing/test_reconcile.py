"""`reconcile_billing`: what differs from Stripe is found by lists, and mended by syncs alone."""

from __future__ import annotations

import os
from collections import Counter
from datetime import timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone
from djstripe.models import Subscription
from pytest_django import Settings

from billing import gateway, services
from billing.gateway import client
from billing.models import ReconcileFinding, ReconcileRun, Standing, Status, TierPrice
from billing.services import walk
from orgs import clock
from orgs.models import Organization
from tests.cast import Cast, OrganizationFactory, signed_in
from tests.payer import Payer
from tests.staff import make_developer

PAGE = 5


@pytest.fixture(autouse=True)
def _small_pages_and_no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "PAGE_SIZE", PAGE)
    monkeypatch.setattr(walk, "FIRST_PAUSE", 0.0)


@pytest.fixture
def teams(payer: Payer) -> list[Organization]:
    """Acme and eleven others: every third pays, and all agree with Stripe."""
    for _ in range(11):
        OrganizationFactory.create()
    services.sync_due(now=clock.now())
    teams = list(Organization.objects.order_by("pk"))
    for team in teams[::3]:
        payer.subscribe_at_stripe(team.stripe_customer_id)
        services.sync_organization(team)
    return list(Organization.objects.order_by("pk"))


def run(*args: str) -> tuple[str, int]:
    """Run the command; return what it printed and its exit code."""
    out = StringIO()
    try:
        call_command("reconcile_billing", *args, stdout=out, stderr=StringIO())
    except SystemExit as end:
        return out.getvalue(), int(str(end.code))
    return out.getvalue(), 0


def lists_and_others(payer: Payer, after: int) -> tuple[int, int]:
    """How many calls for a page of a list, and how many for one organization."""
    calls = payer.sandbox.requests()[after:]
    listed = [each for each in calls if each["path"] in LISTS and "customer" not in each["params"]]
    return len(listed), len(calls) - len(listed)


LISTS = {"/v1/customers", "/v1/invoices", "/v1/subscriptions"}


def cancel_at_stripe(team: Organization) -> str:
    """End its subscription at Stripe, of which no event tells."""
    (subscription,) = gateway.list_subscriptions(str(team.stripe_customer_id))
    gateway.cancel_subscription(subscription["id"])
    return str(subscription["id"])


def test_where_nothing_differs_nothing_but_lists_is_asked(
    payer: Payer, teams: list[Organization]
) -> None:
    # Of two that ended, the one that was bought first ended last, by a debt: that one decides.
    payer.subscribe_at_stripe(teams[0].stripe_customer_id)
    newest, oldest = gateway.list_subscriptions(str(teams[0].stripe_customer_id))
    gateway.cancel_subscription(newest["id"])
    card = gateway.api().payment_methods.attach(
        "pm_card_chargeCustomerFail", {"customer": teams[0].stripe_customer_id}
    )
    gateway.api().subscriptions.update(oldest["id"], {"default_payment_method": card.id})
    payer.advance(60)
    for team in teams:
        services.sync_organization(team)
    assert Standing.objects.get(organization=teams[0]).status == Status.LAPSED
    before = len(payer.sandbox.requests())
    synced = dict(Standing.objects.values_list("organization", "synced_at"))
    printed, code = run()
    assert code == 0, printed
    assert "12 customers looked at; 0 differed" in printed
    # Three pages of customers, one of open invoices, one of ended subscriptions.
    assert lists_and_others(payer, before) == (5, 0)
    assert dict(Standing.objects.values_list("organization", "synced_at")) == synced
    done = ReconcileRun.objects.get()
    assert done.finished_at is not None
    assert set(Standing.objects.values_list("reconciled_at", flat=True)) == {done.started_at}


def test_those_that_drifted_are_mended_and_no_other_is_synced(
    payer: Payer, teams: list[Organization]
) -> None:
    ended = cancel_at_stripe(teams[0])
    # Somebody wrote around the services.
    Standing.objects.filter(organization=teams[3]).update(status=Status.FREE)
    gateway.update_customer(str(teams[4].stripe_customer_id), email="x@example.com", name="X")
    payer.subscribe_at_stripe(teams[5].stripe_customer_id)
    synced = dict(Standing.objects.values_list("organization", "synced_at"))

    printed, code = run()
    assert code == 0, printed
    assert "4 differed" in printed
    for team, words in {
        teams[0]: f"mirror differs: {ended} has ended. Mended.",
        teams[3]: "standing differs: status: free → current. Mended.",
        teams[4]: "name or address differs: email. Mended.",
        teams[5]: "standing differs: status: free → current. Mended.",
    }.items():
        assert f"{team.slug} ({team.pk}): {words}" in printed
    # Of names and addresses it is said that they differ, and no more.
    assert "x@example.com" not in printed
    drifted = {teams[number].pk for number in (0, 3, 4, 5)}
    now_synced = dict(Standing.objects.values_list("organization", "synced_at"))
    assert {pk for pk, moment in now_synced.items() if moment != synced[pk]} == drifted
    assert Standing.objects.get(organization=teams[0]).status == Status.FREE
    assert Standing.objects.get(organization=teams[5]).status == Status.CURRENT
    assert "0 differed" in run()[0]


def kept(team: Organization) -> dict[str, Any]:
    fields = [each.name for each in Standing._meta.fields if each.name != "reconciled_at"]
    return dict(Standing.objects.filter(organization=team).values(*fields)[0])


def test_a_dry_run_tells_the_same_and_changes_nothing(
    payer: Payer, teams: list[Organization]
) -> None:
    cancel_at_stripe(teams[0])
    before = kept(teams[0])
    printed, code = run("--dry-run")
    assert code == 1
    assert "A sync would mend it." in printed
    assert kept(teams[0]) == before
    assert Subscription.objects.filter(stripe_data__status="canceled").count() == 0


def test_one_that_was_broken_off_is_gone_on_with_and_tells_all_that_it_found(
    payer: Payer, teams: list[Organization], monkeypatch: pytest.MonkeyPatch
) -> None:
    for team in (teams[0], teams[9]):
        cancel_at_stripe(team)
    monkeypatch.setattr(walk, "MOST_TRIES", 0)
    # The newest come first: the third page does not come.
    seen = iter(range(100))

    def break_off(count: int) -> None:
        if next(seen) == 1:
            raise KeyboardInterrupt

    broken_off = services.begin_run(is_dry_run=False)
    with pytest.raises(KeyboardInterrupt):
        services.reconcile(broken_off, on_progress=break_off)
    assert ReconcileRun.objects.get().looked_at == 2 * PAGE
    assert ReconcileFinding.objects.values("organization").distinct().count() == 1

    before = len(payer.sandbox.requests())
    printed, code = run()
    assert code == 0
    assert "12 customers looked at; 2 differed" in printed
    pages = [call for call in payer.sandbox.requests()[before:] if call["path"] == "/v1/customers"]
    assert len(pages) == 1
    assert ReconcileRun.objects.count() == 1


def test_while_another_process_is_at_it_there_is_no_second(payer: Payer) -> None:
    theirs = services.begin_run(is_dry_run=False)
    host = theirs.worker.rpartition(":")[0]
    for worker, seen, is_alive in (
        (f"{host}:{os.getppid()}", timedelta(days=0), True),
        (f"{host}:4194303", timedelta(days=0), False),
        ("elsewhere:1", timedelta(seconds=1), True),
        ("elsewhere:1", timedelta(hours=1), False),
    ):
        ReconcileRun.objects.update(worker=worker, touched_at=clock.now() - seen)
        if is_alive:
            with pytest.raises(CommandError, match="Another process is reconciling"):
                run()
        else:
            assert services.begin_run(is_dry_run=False) == theirs


def test_a_customer_with_more_subscriptions_than_a_list_shows_is_asked_for_alone(
    payer: Payer, teams: list[Organization]
) -> None:
    payer.subscribe_at_stripe(teams[0].stripe_customer_id)
    page = gateway.customers_page(None)
    while teams[0].stripe_customer_id not in {each["id"] for each in page.objects}:
        page = gateway.customers_page(page.objects[-1]["id"])
    (customer,) = (each for each in page.objects if each["id"] == teams[0].stripe_customer_id)
    subscriptions = customer["subscriptions"]
    subscriptions |= {"data": subscriptions["data"][1:], "has_more": True}
    look = services.begin_partial_run(is_dry_run=True)
    walk.Walk(look).look_at([customer])
    assert look.findings.filter(finding="two_subscriptions").exists()


def test_stripe_asking_to_slow_down_is_heeded(payer: Payer, teams: list[Organization]) -> None:
    payer.sandbox.weather([{"path": "/v1/customers", "status": 429, "times": 3}])
    before = len(payer.sandbox.requests())
    assert run()[1] == 0
    statuses = Counter(call["status"] for call in payer.sandbox.requests()[before:])
    assert statuses[429] == 3


def test_an_outage_ends_it_in_a_sentence_and_it_can_be_gone_on_with(
    payer: Payer, teams: list[Organization]
) -> None:
    payer.sandbox.weather([{"path": "/v1/customers", "status": 500}])
    with pytest.raises(CommandError, match="Run it again to go on from here"):
        run()
    payer.sandbox.weather([])
    assert run()[1] == 0
    assert ReconcileRun.objects.count() == 1


def test_what_no_sync_can_mend_is_left_to_staff_with_the_next_step(
    payer: Payer, teams: list[Organization]
) -> None:
    payer.subscribe_at_stripe(teams[0].stripe_customer_id)
    TierPrice.objects.filter(tier__key="business").delete()
    stray = gateway.create_customer(key=str(uuid4()))
    payer.subscribe_at_stripe(stray["id"])
    not_ours = gateway.api().customers.create(
        {"name": "Somebody else's", "test_clock": stray["test_clock"]}
    )
    payer.subscribe_at_stripe(not_ours.id)
    printed, code = run()
    assert code == 1
    assert f"{teams[0].slug} ({teams[0].pk}): pays two subscriptions" in printed
    assert "Cancel one of them at Stripe" in printed
    assert f"{stray['id']}: a customer of no organization is billed" in printed
    assert not_ours.id not in printed


def test_a_price_that_buys_nothing_is_left_to_staff(payer: Payer, cast: Cast) -> None:
    payer.subscribe()
    payer.sync()
    TierPrice.objects.all().delete()
    printed, code = run()
    assert code == 1
    assert "pays a price that buys nothing" in printed
    # The standing itself is mended: it says so too now.
    assert Standing.objects.get(organization=cast.acme).reason == "unmapped_price"


def test_a_customer_that_was_deleted_at_stripe_is_found_and_one_that_lacks_is_made(
    payer: Payer, teams: list[Organization]
) -> None:
    gateway.api().customers.delete(teams[1].stripe_customer_id)
    without = OrganizationFactory.create()
    Organization.objects.filter(pk=without.pk).update(
        created_at=timezone.now() - timedelta(hours=2)
    )
    printed, code = run()
    assert code == 0
    assert f"{teams[1].slug} ({teams[1].pk}): customer is gone at Stripe" in printed
    assert f"{without.slug} ({without.pk}): has no customer yet" in printed
    assert Standing.objects.get(organization=teams[1]).reason == "customer_deleted"
    without.refresh_from_db()
    assert without.stripe_customer_id is not None
    # What is known to be gone is not found again.
    assert "0 differed" in run()[0]


def test_a_closed_organization_is_billed_no_more(payer: Payer, cast: Cast) -> None:
    payer.subscribe()
    payer.sync()
    Organization.objects.filter(pk=cast.acme.pk).update(closed_at=timezone.now())
    printed, _code = run()
    assert "closed, and still billed" in printed
    (subscription,) = gateway.list_subscriptions(str(cast.acme.stripe_customer_id or payer.sync()))
    assert subscription["status"] == "canceled"


def test_one_organization_or_those_of_whom_events_speak_can_be_looked_at_alone(
    payer: Payer, teams: list[Organization]
) -> None:
    for team in (teams[0], teams[3]):
        cancel_at_stripe(team)
    printed, code = run("--organization", teams[0].slug)
    assert code == 0
    assert f"{teams[0].slug} ({teams[0].pk})" in printed
    assert Standing.objects.get(organization=teams[3]).status == Status.CURRENT
    printed, code = run("--since", "2026-05-01")
    assert code == 0
    assert f"{teams[3].slug} ({teams[3].pk})" in printed
    with pytest.raises(CommandError, match="There is no organization nobody"):
        run("--organization", "nobody")
    for wrong in ("tomorrow", "2999-01-01"):
        with pytest.raises(CommandError, match=r"is no date|lies ahead"):
            run("--since", wrong)


def test_the_key_of_another_account_is_noticed_before_harm_is_done(
    payer: Payer, teams: list[Organization], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walk, "MOST_UNKNOWN", 3)
    payer.sandbox.reset()
    settings.STRIPE_TEST_CLOCK = ""
    with pytest.raises(CommandError, match="another account"):
        run()
    assert not Standing.objects.filter(reason="customer_deleted").exists()


def test_staff_see_when_it_was_and_what_is_left_with_the_next_step(
    payer: Payer, cast: Cast
) -> None:
    payer.subscribe()
    payer.sync()
    payer.subscribe_at_stripe()
    run()
    done = ReconcileRun.objects.get()
    dana = signed_in(cast.dana)
    page = dana.get(reverse("admin:billing_reconcilerun_changelist")).content.decode()
    link = f"{reverse('admin:billing_reconcilefinding_changelist')}?run__id__exact={done.pk}"
    assert link in page
    found = dana.get(f"{link}&left=yes").content.decode()
    assert "pays two subscriptions" in found
    assert "Cancel one of them at Stripe" in found
    assert "mirror differs" not in found
    assert "mirror differs" in dana.get(link).content.decode()
    standing = dana.get(reverse("admin:orgs_organization_change", args=[cast.acme.pk]))
    assert "Last compared with everything at Stripe" in standing.content.decode()
    scoped = make_developer("billing.view_reconcilerun", "billing.view_reconcilefinding")
    assert "pays two subscriptions" not in signed_in(scoped).get(link).content.decode()
    assert (
        signed_in(scoped).get(f"/admin/billing/reconcilerun/{done.pk}/change/").status_code == 403
    )
