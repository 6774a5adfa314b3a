"""`manage.py check_invariants`: silent while all is well, and each drift found under its own id.

Those of people and organizations, with what is taken off to plant them, are in tests/orgs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from djstripe.models import Customer, WebhookEndpoint
from pytest_django import Settings

from accounts import services as accounts
from accounts.events import Event
from billing import gateway, invariants, mirror
from billing.models import Standing, Status, TierPrice
from orgs import invariants as of_orgs
from orgs import invariants_of_roles as of_roles
from orgs import services as orgs
from orgs.models import Organization, Tier
from tests.billing.stripe_objects import BUSINESS, PRO, subscription
from tests.cast import Cast, OrganizationFactory, make_cast
from tests.kept import put_back
from tests.orgs.test_invariants import (
    ALL_IS_WELL,
    NOBODY,
    allow_repeated,
    check,
    check_after,
    lines,
    remove,
)
from tests.orgs.test_invariants import DRIFTS as DRIFTS_OF_ORGS
from tests.payer import Payer

pytestmark = pytest.mark.django_db

ALL = (*of_orgs.INVARIANTS, *of_roles.INVARIANTS, *invariants.INVARIANTS)
FAILS_LATER = "4000000000000341"
GOOD = "4242424242424242"
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Stage:
    """Acme pays. The other team was founded a moment ago, and Stripe does not know it yet."""

    acme: Organization
    other: Organization


@pytest.fixture
def stage(db: None) -> Stage:
    return put_back(make_stage)


def make_stage() -> Stage:
    cast = make_cast()
    for price, key in ((PRO, "pro"), (BUSINESS, "business")):
        TierPrice.objects.create(tier=tier(key), stripe_price_id=price, interval="month")
    link(cast.acme, "cus_acme")
    mirrored("sub_acme", "cus_acme")
    write(cast.acme, tier=tier("pro"), status=Status.CURRENT, subscription_id="sub_acme")
    standing(cast.acme).update(synced_at=timezone.now(), sync_requested_at=None)
    stage = Stage(cast.acme, OrganizationFactory.create())
    assert check() == ALL_IS_WELL
    return stage


def rows(organization: Organization) -> Any:
    return Organization.objects.filter(pk=organization.pk)


def standing(organization: Organization) -> Any:
    return Standing.objects.filter(organization=organization)


def tier(key: str) -> Tier:
    return Tier.objects.get(key=key)


def link(organization: Organization, customer: str) -> None:
    """Write what a sync writes of a customer."""
    told = {"id": customer, "name": organization.name, "email": organization.email}
    mirror.write_customer(told)
    rows(organization).update(stripe_customer=customer)
    accounts.record_event(
        Event.CUSTOMER_LINKED, organization_id=organization.pk, data={"stripe_customer": customer}
    )


def mirrored(id: str, customer: str, status: str = "active", price: str = PRO) -> None:
    mirror.write_subscriptions(customer, [subscription(status, price, id=id)])


def write(organization: Organization, **facts: Any) -> None:
    """Write a standing as a faulty sync would: wrong, but with its line in the log."""
    theirs = {name: facts.pop(name) for name in ("tier", "locked_from") if name in facts}
    rows(organization).update(**theirs)
    standing(organization).update(**facts)
    written = standing(organization).get()
    accounts.record_event(
        Event.STANDING_CHANGED,
        organization_id=organization.pk,
        data={"after": invariants._noticeable(written)},
    )


def lapse(organization: Organization, reason: str, **facts: Any) -> None:
    now = timezone.now()
    lapsed = {"status": Status.LAPSED, "reason": reason, "locked_from": now, "tier": None}
    write(organization, **(lapsed | {"synced_at": now} | facts))


def owe(s: Stage, **facts: Any) -> None:
    """Acme has not paid, and the standing says so, but for these `facts`."""
    mirrored("sub_acme", "cus_acme", "past_due")
    now = timezone.now()
    owed = {"reason": "payment_failed", "locked_from": now, "grace_ends_at": now}
    write(s.acme, status=Status.PAST_DUE, **(owed | facts))


def stand_twice(s: Stage) -> None:
    allow_repeated("billing_standing", "organization_id")
    Standing.objects.create(organization=s.other, sync_requested_at=timezone.now())


def lapse_for_debt(s: Stage, **facts: Any) -> None:
    mirrored("sub_acme", "cus_acme", "canceled")
    lapse(s.acme, "payment_failed", **facts)


def borrow_a_subscription(s: Stage) -> None:
    link(s.other, "cus_other")
    mirrored("sub_other", "cus_other", "canceled")
    lapse_for_debt(s, subscription_id="sub_other")


def tell_a_deletion(s: Stage) -> None:
    link(s.other, "cus_other")
    lapse(s.other, "customer_deleted")


def pay_unnoticed(s: Stage) -> None:
    link(s.other, "cus_other")
    mirrored("sub_other", "cus_other")


def pay_again_unnoticed(s: Stage) -> None:
    lapse_for_debt(s)
    mirrored("sub_2", "cus_acme")


def pay_beside_a_debt(s: Stage) -> None:
    owe(s)
    mirrored("sub_2", "cus_acme")


def subscribe_a_stranger(s: Stage) -> None:
    mirror.write_customer({"id": "cus_stranger"})
    mirrored("sub_x", "cus_stranger")


def leave_readable(secret: str) -> None:
    mirror.write_webhook_endpoint(
        {
            "id": "we_1",
            "object": "webhook_endpoint",
            "livemode": False,
            "created": 1_780_000_000,
            "metadata": {},
            "url": "https://app.example.com/stripe/webhook/",
            "secret": secret,
            "enabled_events": ["*"],
            "status": "enabled",
        },
        uuid4(),
    )
    WebhookEndpoint.objects.update(secret=secret)


DRIFTS: dict[str, tuple[set[str], Callable[[Stage], object]]] = {
    "a webhook secret that can be read": ({"K2"}, lambda s: leave_readable("whsec_readable")),
    "no standing": ({"B1"}, lambda s: remove(standing(s.other))),
    "two standings": ({"B1"}, stand_twice),
    "a standing of nobody": ({"B1"}, lambda s: standing(s.other).update(organization=NOBODY)),
    "a tier for nothing": ({"B2"}, lambda s: write(s.other, tier=tier("pro"))),
    "no tier for money": ({"B2"}, lambda s: write(s.acme, tier=None)),
    "locked though current": ({"B3"}, lambda s: write(s.acme, locked_from=timezone.now())),
    "not locked though past due": ({"B3"}, lambda s: owe(s, locked_from=None)),
    "a grace that is not the lock": ({"B3"}, lambda s: owe(s, grace_ends_at=timezone.now())),
    "a lapse that locks later": (
        {"B3"},
        lambda s: lapse_for_debt(s, locked_from=timezone.now() + HOUR),
    ),
    "current by nothing": ({"B4"}, lambda s: write(s.acme, subscription=None)),
    "current by what is not there": ({"B4"}, lambda s: write(s.acme, subscription_id="sub_x")),
    "current by what ended": ({"B4"}, lambda s: mirrored("sub_acme", "cus_acme", "canceled")),
    "judged by another's": ({"B4"}, borrow_a_subscription),
    "a reason that is none": ({"B4"}, lambda s: lapse(s.acme, "whim")),
    "deleted but not told": (
        {"B5"},
        lambda s: mirror.write_customer({"id": "cus_acme", "deleted": True}),
    ),
    "told but not deleted": ({"B5"}, tell_a_deletion),
    "free though paid for": ({"B6"}, pay_unnoticed),
    "lapsed though paid for": ({"B6"}, pay_again_unnoticed),
    "past due though paid for": ({"B6", "B9"}, pay_beside_a_debt),
    "a subscriber": ({"B7"}, lambda s: Customer.objects.update(subscriber=s.acme)),
    "paid for by a stranger": ({"B8"}, subscribe_a_stranger),
    "paid for by nobody": ({"B8"}, lambda s: mirrored("sub_x", "cus_x")),
    "paid for though closed": ({"B16"}, lambda s: rows(s.acme).update(closed_at=timezone.now())),
    "billed twice": ({"B9"}, lambda s: mirrored("sub_2", "cus_acme", "unpaid")),
    "a price of no tier": ({"B10"}, lambda s: TierPrice.objects.all().delete()),
    "a better tier": ({"B11"}, lambda s: write(s.acme, tier=tier("business"))),
    "a lower tier": ({"B11"}, lambda s: mirrored("sub_acme", "cus_acme", price=BUSINESS)),
    "mapped since": ({"B11"}, lambda s: write(s.acme, tier=None, reason="unmapped_price")),
    "a mark lost": ({"B12"}, lambda s: standing(s.other).update(sync_requested_at=None)),
    "a mark forgotten": (
        {"B13"},
        lambda s: standing(s.acme).update(sync_requested_at=timezone.now() - HOUR),
    ),
    "a begun lock not told": (
        {"B15"},
        lambda s: standing(s.acme).update(locks_at=timezone.now() - HOUR),
    ),
    "an exemption left over": (
        {"B17"},
        lambda s: standing(s.acme).update(
            exempt_until=timezone.now() - HOUR, exempt_reason="Strike."
        ),
    ),
    "another name": ({"B14"}, lambda s: rows(s.acme).update(name="Acme & Sons")),
    "another address": ({"B14"}, lambda s: rows(s.acme).update(billing_email="x@example.com")),
    "a standing not told": ({"L3"}, lambda s: remove(lines("standing_changed"))),
    "a standing told otherwise": (
        {"L3"},
        lambda s: standing(s.acme).update(ends_at=timezone.now()),
    ),
    "another amount than is told": (
        {"L3"},
        lambda s: standing(s.acme).update(recurring_amount=1, recurring_currency="eur"),
    ),
    "a customer not told": ({"L4"}, lambda s: remove(lines("customer_linked"))),
}


@pytest.mark.parametrize(("ids", "plant"), DRIFTS.values(), ids=DRIFTS.keys())
def test_a_drift_is_found_under_its_id(
    stage: Stage, ids: set[str], plant: Callable[[Stage], object]
) -> None:
    status, found = check_after(partial(plant, stage))
    assert (status, set(found)) == (1, ids)


def test_each_invariant_is_drifted_from() -> None:
    ids = [each.id for each in ALL]
    drifts = [*DRIFTS_OF_ORGS.values(), *DRIFTS.values()]
    assert sorted(ids) == sorted({"G1"}.union(*(planted for planted, _ in drifts)))


def test_each_invariant_is_in_the_rules() -> None:
    rules = (Path(django_settings.BASE_DIR) / "docs" / "rules.md").read_text()
    for each in ALL:
        assert f"\n| {each.id} | {each.sentence} | {each.remedy} |\n" in rules


def test_the_story_of_a_payer_is_no_drift_at_any_moment(
    payer: Payer, cast: Cast, settings: Settings
) -> None:
    settings.BILLING_GRACE_DAYS = 7

    def pass_time(days: int) -> None:
        payer.advance(days)
        payer.sync()

    def hand_on() -> None:
        orgs.transfer_ownership(
            organization=payer.organization, new_owner=cast.bob, by=cast.dana, reason="He pays."
        )
        payer.organization.refresh_from_db()

    for step in (
        payer.sync,
        payer.subscribe,
        payer.sync,
        partial(payer.change_card, FAILS_LATER),
        partial(pass_time, 32),
        hand_on,
        payer.sync,
        partial(payer.change_card, GOOD),
        payer.pay,
        payer.sync,
        payer.cancel,
        payer.sync,
        partial(pass_time, 32),
        payer.subscribe,
        partial(payer.change_card, FAILS_LATER),
        partial(pass_time, 100),
        lambda: gateway.api().customers.delete(payer.organization.stripe_customer_id),
        payer.sync,
    ):
        step()
        assert check() == ALL_IS_WELL
    assert standing(payer.organization).get().reason == "customer_deleted"


def test_what_a_sync_is_at_is_no_drift(stage: Stage) -> None:
    now = timezone.now()
    standing(stage.acme).update(sync_requested_at=now - HOUR, lease_until=now + MINUTE)
    rows(stage.acme).update(name="Acme & Sons")
    assert check() == ALL_IS_WELL


def test_people_read_one_line_for_each_that_is_broken(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("check_invariants")
    numbers = f'{len(ALL)} invariants checked, %s broken (docs/rules.md, "Checking").'
    assert capsys.readouterr().out.splitlines() == [numbers % 0]
    teams = [OrganizationFactory.create() for _ in range(7)]
    Standing.objects.filter(organization__in=teams).update(sync_requested_at=None)
    with pytest.raises(SystemExit, match="1"):
        call_command("check_invariants")
    (invariant,) = (each for each in ALL if each.id == "B12")
    line, total = capsys.readouterr().out.splitlines()
    assert line.startswith(f"B12: {invariant.sentence} Not so: 7 (")
    assert line.endswith(f", …). {invariant.remedy}")
    # Which five of them, and in which order, is the database's choice.
    named = {int(each) for each in re.findall(r"organization (\d+)[,)]", line)}
    assert len(named) == 5
    assert named < {team.pk for team in teams}
    assert total == numbers % 1


@pytest.mark.django_db(transaction=True)
def test_programs_read_all_of_them_outside_a_transaction(stage: Stage) -> None:
    out = StringIO()
    call_command("check_invariants", json=True, stdout=out)
    assert json.loads(out.getvalue()) == [
        {
            "id": each.id,
            "sentence": each.sentence,
            "count": 0,
            "examples": [],
            "remedy": each.remedy,
        }
        for each in ALL
    ]


def test_each_is_one_statement_however_many_organizations(stage: Stage) -> None:
    for _round in range(2):
        for each in ALL:
            with CaptureQueriesContext(connection) as statements:
                assert list(each.find(timezone.now())) == []
            # Which guards there should be depends on which tables there are.
            assert len(statements) == 1 or each.id == "G1"
        OrganizationFactory.create_batch(3)
