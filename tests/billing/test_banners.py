"""The words at the top of each page, for each standing and for who reads them."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from billing.banners import Action, Banner, banner_for
from billing.models import Standing, Status
from orgs.models import Organization, Tier
from tests.billing.stripe_objects import NOW, moment


def banner(*, is_owner: bool = True, locked: bool = False, **standing: Any) -> Banner | None:
    organization = Organization(
        name="Acme",
        owner=User(name="Alice Adams", email="alice@example.com"),
        tier=Tier(key="pro", name="Pro"),
        locked_from=NOW if locked else None,
    )
    return banner_for(organization, Standing(**standing), is_owner=is_owner, now=NOW)


@pytest.mark.parametrize("status", [Status.FREE, Status.CURRENT])
def test_no_news_is_no_banner(status: Status) -> None:
    assert banner(status=status) is None


@pytest.mark.parametrize(
    ("standing", "title", "action"),
    [
        (
            {"status": Status.PAST_DUE, "reason": "payment_failed"},
            "Your organization is past due",
            Action.PAY,
        ),
        (
            {"status": Status.LAPSED, "reason": "unpaid"},
            "Your organization is past due",
            Action.PAY,
        ),
        ({"status": Status.LAPSED, "reason": "paused"}, "Your plan is paused", Action.PAY),
        (
            {"status": Status.LAPSED, "reason": "unknown_status"},
            "Your organization's billing needs attention",
            Action.PAY,
        ),
        # Nothing is left to be paid: what helps is a new plan.
        (
            {"status": Status.LAPSED, "reason": "payment_failed"},
            "Your plan ended because it was not paid for",
            Action.CHOOSE_PLAN,
        ),
        (
            {"status": Status.LAPSED, "reason": "no_subscription"},
            "Your organization has no plan",
            Action.CHOOSE_PLAN,
        ),
    ],
)
def test_a_lock_says_why_and_offers_what_helps(
    standing: dict[str, Any], title: str, action: Action
) -> None:
    shown = banner(locked=True, **standing)
    assert shown is not None
    assert (shown.kind, shown.title, shown.action) == ("locked", title, action)


def test_in_grace_the_owner_gets_a_button_and_a_member_a_name() -> None:
    grace: dict[str, Any] = {"status": Status.PAST_DUE, "grace_ends_at": moment(3)}
    owners, members = banner(**grace), banner(**grace, is_owner=False)
    assert owners is not None
    assert members is not None
    assert (owners.action, members.action) == (Action.PAY, Action.NONE)
    assert "Please pay by June 18, 2026" in owners.text
    assert members.text == "Alice Adams has until June 18, 2026 to resolve it."


def test_a_scheduled_end_names_plan_and_day() -> None:
    owners = banner(status=Status.CURRENT, ends_at=moment(3))
    members = banner(status=Status.CURRENT, ends_at=moment(3), is_owner=False)
    assert owners is not None
    assert members is not None
    assert owners.title == members.title == "Pro ends on June 18, 2026"
    assert (owners.action, members.action) == (Action.RESUME, Action.NONE)
    assert "Alice Adams can resume the plan." in members.text


def test_a_price_that_is_mapped_to_no_tier_is_said_to_be_in_work() -> None:
    shown = banner(status=Status.CURRENT, reason="unmapped_price")
    assert shown is not None
    assert shown.kind == "unmapped"


def test_who_impersonates_a_locked_member_reads_what_the_member_is_told() -> None:
    found = banner(status=Status.PAST_DUE, reason="payment_failed", locked=True, is_owner=False)
    assert found is not None
    assert "Contact Alice Adams to resolve billing." in found.text
    assert found.action == Action.NONE


CARD = {"exp_month": 6, "exp_year": 2026}


def test_a_payment_that_waits_is_the_owners_to_confirm() -> None:
    waits: dict[str, Any] = {"status": Status.PAST_DUE, "unconfirmed_invoice": "in_1"}
    in_time, locked = banner(**waits), banner(locked=True, **waits)
    assert in_time is not None
    assert locked is not None
    assert (in_time.kind, in_time.action) == ("grace", Action.CONFIRM)
    assert (locked.kind, locked.action) == ("locked", Action.CONFIRM)
    assert "your team cannot come in" in locked.text
    members = banner(is_owner=False, **waits)
    assert members is not None
    assert (members.title, members.action) == ("A payment waits to be confirmed", Action.NONE)
    assert members.text == "Alice Adams has to confirm it to the bank."


@pytest.mark.parametrize(
    ("card", "title"),
    [
        (CARD, "Your card expires soon"),
        (CARD | {"exp_month": 5}, "Your card has expired"),
        (CARD | {"exp_year": 2030}, None),
        (None, None),
    ],
)
def test_the_owner_hears_of_a_card_that_expires(
    card: dict[str, int] | None, title: str | None
) -> None:
    found = banner(status=Status.CURRENT, payment_method=card)
    assert (found and found.title) == title
    assert banner(is_owner=False, status=Status.CURRENT, payment_method=card) is None
