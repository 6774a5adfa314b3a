"""Cases 6 to 9: debts and ends, which come by the clock."""

from __future__ import annotations

import pytest
from django.urls import reverse
from pytest_django import Settings

from billing import gateway, services
from billing.models import Status, TierPrice
from orgs import clock
from tests.billing.cases import FAILS_LATER, GOOD, Team, arrive, found_team, reword, sees
from tests.cast import signed_in
from tests.payer import Payer

pytestmark = pytest.mark.django_db(transaction=True)

LOSE_ALL = {"event": "*", "drop": True}


@pytest.fixture
def team(wired_payer: Payer, settings: Settings) -> Team:
    """Founded now; after a failed payment it has a week."""
    settings.BILLING_GRACE_DAYS = 7
    return found_team(wired_payer, settings)


def _subscribe(team: Team) -> None:
    team.payer.subscribe()
    arrive(team.payer)
    team.assert_open("pro")


def _fail_the_renewal(team: Team) -> None:
    _subscribe(team)
    team.payer.change_card(FAILS_LATER)
    team.payer.advance(32)
    arrive(team.payer)


def _assert_in_grace(team: Team) -> None:
    team.assert_open("pro")
    assert "Please pay by" in sees(team.owner)[1]
    assert f"{team.owner.get_full_name()} has until" in sees(team.member)[1]


def _pass_the_deadline_unheard(team: Team) -> None:
    """Let the week pass. No event arrives, and no sync runs."""
    team.payer.sandbox.weather([LOSE_ALL])
    before = team.standing.synced_at
    team.payer.advance(7)
    assert team.standing.synced_at == before


def _pay(team: Team) -> None:
    team.payer.change_card(GOOD)
    team.payer.pay()


def test_case_6_the_lock_begins_by_the_clock_and_ends_on_the_way_back_from_paying(
    team: Team,
) -> None:
    """Case 6: renewal fails, grace, locked without an event; unlocked by the return page."""
    _fail_the_renewal(team)
    _assert_in_grace(team)
    _pass_the_deadline_unheard(team)
    team.assert_locked()

    _pay(team)
    team.assert_locked()
    answer = signed_in(team.owner).get(reverse("billing:checkout_return"))
    assert (answer.status_code, answer["Location"]) == (302, reverse("billing:overview"))
    team.assert_open("pro")
    team.assert_in_step()


def test_case_6_the_next_event_alone_ends_the_lock(team: Team) -> None:
    """Case 6: who pays and closes the tab has let the team in all the same."""
    _fail_the_renewal(team)
    _pass_the_deadline_unheard(team)
    team.assert_locked()
    team.payer.change_card(GOOD)
    team.payer.sandbox.weather([])
    team.payer.pay()
    arrive(team.payer)
    team.assert_open("pro")
    team.assert_in_step()


def test_case_7_one_failure_without_a_next_attempt_is_shown_and_its_grace_ends(
    team: Team,
) -> None:
    """Case 7: Stripe tells of it once and tries no more: the owner reads of it, then the lock."""
    _subscribe(team)
    api = gateway.api()
    for card in api.customers.payment_methods.list(team.customer).data:
        api.payment_methods.detach(card.id)
    team.payer.advance(32)
    arrive(team.payer)
    (owed,) = api.invoices.list({"customer": team.customer, "status": "open"}).data
    assert (owed.attempt_count, owed.next_payment_attempt) == (1, None)
    _assert_in_grace(team)
    _pass_the_deadline_unheard(team)
    team.assert_locked()
    services.sync_due(now=clock.now())
    team.assert_locked()
    team.assert_in_step()


def test_case_8_unpaid_is_locked(team: Team) -> None:
    """Case 8: `unpaid`, after Stripe gave up collecting."""
    team.payer.sandbox.settings(dunning_end="unpaid")
    _fail_the_renewal(team)
    team.payer.advance(23)
    arrive(team.payer)
    assert (team.standing.status, team.standing.reason) == (Status.LAPSED, "unpaid")
    team.assert_locked()
    team.assert_in_step()


def test_case_8_paused_is_locked(team: Team) -> None:
    """Case 8: `paused`, after a trial that nobody gave a card for."""
    price = TierPrice.objects.get(tier__key="pro", interval="month").stripe_price_id
    gateway.api().subscriptions.create(
        {
            "customer": team.customer,
            "items": [{"price": price}],
            "trial_period_days": 5,
            "trial_settings": {"end_behavior": {"missing_payment_method": "pause"}},
        }
    )
    arrive(team.payer)
    team.assert_open("pro")
    team.payer.advance(6)
    arrive(team.payer)
    assert (team.standing.status, team.standing.reason) == (Status.LAPSED, "paused")
    team.assert_locked(banner="Your plan is paused")
    team.assert_in_step()


def test_case_8_a_status_that_nobody_knows_yet_is_locked(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 8: Stripe's list of statuses is open; the sandbox's answers are given a new one."""
    _subscribe(team)
    reword(monkeypatch, rb'"status": "active"', b'"status": "on_hold"')
    (live,) = gateway.api().subscriptions.list({"customer": team.customer}).data
    assert live.status == "on_hold"
    gateway.api().subscriptions.update(live.id, {"description": "Something happens to it"})
    arrive(team.payer)
    assert (team.standing.status, team.standing.reason) == (Status.LAPSED, "unknown_status")
    team.assert_locked(banner="Your organization's billing needs attention")
    team.assert_in_step()


def test_case_9_a_plan_canceled_in_the_portal_is_shown_as_ending_and_ends_in_free(
    team: Team,
) -> None:
    """Case 9: `cancel_at` set and the flag false: access until then, afterwards free."""
    _subscribe(team)
    team.payer.cancel()
    arrive(team.payer)
    (live,) = gateway.api().subscriptions.list({"customer": team.customer}).data
    assert (live.cancel_at_period_end, live.cancel_at > clock.now().timestamp()) == (False, True)
    team.assert_open("pro")
    for person in (team.owner, team.member):
        assert "Pro ends on" in sees(person)[1]
    team.assert_in_step()

    team.payer.advance(25)
    arrive(team.payer)
    team.assert_open("pro")
    team.payer.advance(7)
    arrive(team.payer)
    assert team.standing.status == Status.FREE
    team.assert_open("free")
    assert "ends on" not in sees(team.owner)[1]
    team.assert_in_step()
