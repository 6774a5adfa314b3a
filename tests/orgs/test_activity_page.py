"""The organization's activity page: who sees it, what it finds, and what it keeps to itself."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.events import Event
from accounts.models import UserEventLog
from orgs import services
from orgs.models import Organization, Role, Tier
from tests.cast import Cast, OrganizationFactory, add_member, signed_in

pytestmark = pytest.mark.django_db

PAGE, EXPORT = reverse("orgs:activity"), reverse("orgs:export_activity")


@pytest.fixture
def alice(cast: Cast) -> Client:
    Organization.objects.update(tier=Tier.objects.get(key="business"))
    return signed_in(cast.alice)


def said(client: Client, **query: str) -> list[tuple[str, str, str, str]]:
    page = client.get(PAGE, query)
    return [(each.who, each.what, each.details, each.by) for each in page.context["entries"]]


def add_lines(cast: Cast, number: int, event: Event = Event.LOGIN) -> None:
    UserEventLog.objects.bulk_create(
        UserEventLog(event=event, user=cast.bob, actor=cast.bob, organization=cast.acme)
        for _each in range(number)
    )


def test_people_read_who_did_what(cast: Cast, alice: Client) -> None:
    admin = Role.objects.get(key="admin", organization=None)
    services.assign_role(user=cast.bob, role=admin, by=cast.alice, now=timezone.now())
    assert said(alice)[0] == ("Bob Brown", "got a role", "Admin", "Alice Adams")
    assert ("Alice Adams", "founded the organization", "", "") in said(alice)


def test_other_organizations_lines_are_not_there(cast: Cast, alice: Client) -> None:
    other = OrganizationFactory.create(name="Other")
    UserEventLog.objects.create(event=Event.LOCK_BEGAN, organization=other)
    UserEventLog.objects.create(event=Event.TIER_CHANGED, actor=cast.dana)
    kinds = {what for _who, what, _details, _by in said(alice)}
    assert kinds == {"founded the organization", "invited somebody", "joined"}


def test_it_is_filtered_by_person_kind_and_day(cast: Cast, alice: Client) -> None:
    long_ago = datetime(2020, 5, 1, 23, 59, tzinfo=UTC)
    UserEventLog.objects.create(event=Event.LOCK_BEGAN, organization=cast.acme, created_at=long_ago)
    assert {who for who, *_rest in said(alice, q="BROWN")} == {"Bob Brown"}
    assert [what for _who, what, *_rest in said(alice, kind="billing")] == [
        "the organization was locked"
    ]
    days = {"first_day": "2020-05-01", "last_day": "2020-05-01"}
    assert len(said(alice, **days)) == 1
    assert said(alice, first_day="2020-05-02", last_day="2020-05-02") == []
    assert "No line is like that." in alice.get(PAGE, {"q": "zzz"}).content.decode()


def test_a_filter_that_makes_no_sense_is_said_and_filters_nothing(
    cast: Cast, alice: Client
) -> None:
    everything = said(alice)
    page = alice.get(PAGE, {"kind": "no", "first_day": "yesterday", "before": "x" * 30})
    assert "Enter a valid date." in page.content.decode()
    assert len(page.context["entries"]) == len(everything)


def test_staff_and_strangers_are_not_named(cast: Cast, alice: Client) -> None:
    services.soft_delete(user=cast.bob, by=cast.dana, reason="Asked for it.")
    assert said(alice)[0] == ("Bob Brown", "was deleted, for the time being", "", "our staff")
    page = alice.get(PAGE)
    assert "Dana" not in page.content.decode()
    assert said(alice, q="dana") == []
    UserEventLog.objects.create(event=Event.LOGIN_FAILED, organization=cast.acme, user_id=10**9)
    assert said(alice)[0][0] == f"somebody who is gone ({10**9})"


def test_addresses_and_devices_are_for_the_person_alone(cast: Cast, alice: Client) -> None:
    UserEventLog.objects.create(
        event=Event.LOGIN,
        user=cast.bob,
        organization=cast.acme,
        ip_address="192.0.2.9",
        device="Firefox 9",
    )
    page = alice.get(PAGE).content.decode()
    assert "192.0.2.9" not in page
    assert "Firefox 9" not in page


def test_a_standing_says_what_changed(cast: Cast, alice: Client) -> None:
    before = {"status": "current", "reason": "", "tier": "pro"}
    after = {"status": "past_due", "reason": "payment_failed", "tier": "pro"}
    UserEventLog.objects.create(
        event=Event.STANDING_CHANGED,
        organization=cast.acme,
        data={"before": before, "after": after},
    )
    assert said(alice)[0] == (
        "",
        "billing changed",
        "status: current → past due, reason: - → a payment failed",
        "",
    )


def test_pages_go_on_where_the_last_one_ended_whatever_comes_meanwhile(
    cast: Cast, alice: Client
) -> None:
    add_lines(cast, 120)
    seen = []
    link = "?kind=login"
    while link:
        page = alice.get(PAGE + link)
        seen += page.context["entries"]
        add_lines(cast, 3)
        link = page.context["older"]
    assert len(seen) == 120 + 0
    assert "Newest" in page.content.decode()


def test_a_page_costs_the_same_with_more_lines(cast: Cast, alice: Client) -> None:
    counts = []
    for number in (60, 200):
        add_lines(cast, number)
        with CaptureQueriesContext(connection) as made:
            alice.get(PAGE)
        counts.append(len(made))
        asked = [each["sql"] for each in made.captured_queries if "usereventlog" in each["sql"]]
        assert len(asked) == 1
        assert "LIMIT 51" in asked[0]
    assert counts[0] == counts[1]


def test_the_download_has_all_that_the_filters_find_and_is_told(cast: Cast, alice: Client) -> None:
    add_lines(cast, 120)
    assert "Download these as CSV" in alice.get(PAGE).content.decode()
    answer: Any = alice.post(EXPORT, {"kind": "login", "q": "bob"})
    assert answer.streaming
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    header, *rows = csv.reader(text.splitlines())
    assert header == ["Time (UTC)", "Who", "What", "Details", "By"]
    assert len(rows) == 120
    assert rows[0][1:3] == ["Bob Brown", "logged in"]
    told = UserEventLog.objects.latest("pk")
    assert (told.event, told.actor, told.organization) == (
        Event.ACTIVITY_EXPORTED,
        cast.alice,
        cast.acme,
    )


def test_a_plan_without_it_says_which_one_has_it(cast: Cast, alice: Client) -> None:
    Organization.objects.update(tier=Tier.objects.get(key="pro"))
    assert "Download these" not in alice.get(PAGE).content.decode()
    refused = alice.post(EXPORT)
    assert refused.status_code == 403
    assert "Business" in refused.content.decode()
    Organization.objects.update(tier=None)
    refused = alice.get(PAGE)
    assert refused.status_code == 403
    assert "Pro" in refused.content.decode()


def test_a_member_whose_role_includes_it_finds_it_on_the_team_page(
    cast: Cast, alice: Client
) -> None:
    cleo = add_member(cast.acme)
    client = signed_in(cleo)
    assert PAGE not in client.get(reverse("orgs:team")).content.decode()
    assert client.get(PAGE).status_code == 403
    member = Role.objects.get(key="member", organization=None)
    services.assign_role(user=cleo, role=member, by=cast.alice, now=timezone.now())
    assert PAGE in client.get(reverse("orgs:team")).content.decode()
    assert client.get(PAGE).status_code == 200
