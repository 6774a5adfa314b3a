"""Revenue: what is counted from the log, what staff's page shows of it, and where that leads."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from datetime import datetime, timedelta
from html import unescape
from itertools import pairwise
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from accounts.events import Event
from accounts.models import UserEventLog
from billing import services
from billing.models import Movement, MovementTotal, Standing, StandingTotal, Status
from billing.movements import MONTHS, month_of, movement_of, shown_months
from orgs import services as roles
from orgs.models import Organization, Role, Tier
from orgs.permissions import VIEW
from tests.cast import Cast, OrganizationFactory, signed_in
from tests.matrix import undone
from tests.payer import Payer
from tests.staff import allow, grant, make_developer, number_of

pytestmark = pytest.mark.django_db

PAGE = reverse("admin:billing_movement_revenue")
LISTS = [reverse(f"admin:billing_{model}_changelist") for model in ("movement", "standing")]
FREE: dict[str, Any] = {"status": "free", "tier": "free", "subscription": None, "recurring": None}
# A name for what a table shows, and its rows: cells with their text and their link, if any.
Tables = dict[str, list[list[tuple[str, str | None]]]]


def told(
    amount: int | None, status: str = "current", tier: str = "pro", currency: str = "eur"
) -> dict[str, Any]:
    """What a line tells of somebody who pays, or owes, so much a month."""
    recurring = {"currency": currency, "amount": amount}
    return {"status": status, "tier": tier, "subscription": "sub_1", "recurring": recurring}


PRO, BUSINESS, OWED = told(1900), told(4900, tier="business"), told(1900, "past_due")


def plant(
    organization: Organization, *history: dict[str, Any], at: datetime | None = None
) -> list[UserEventLog]:
    """Have the log tell that an organization went through this, from free on."""
    return [
        UserEventLog.objects.create(
            event=Event.STANDING_CHANGED,
            organization=organization,
            data={"before": before, "after": after},
            created_at=at or timezone.now(),
        )
        for before, after in pairwise((FREE, *history))
    ]


def count() -> int:
    return services.count_revenue(now=timezone.now())


def months_ago(number: int) -> datetime:
    """The middle of a month, or this moment."""
    month = shown_months(timezone.now())[-1 - number]
    middle = datetime.fromisoformat(f"{month}T12:00Z") + timedelta(days=14)
    return middle if number else timezone.now()


def stand(organization: Organization, status: Status, tier: str | None, **fields: Any) -> None:
    row = Tier.objects.get(key=tier) if tier else None
    Organization.objects.filter(pk=organization.pk).update(tier=row)
    Standing.objects.filter(organization=organization).update(status=status, **fields)


def pays(organization: Organization, amount: int | None, currency: str = "eur") -> None:
    paid = {"recurring_currency": currency, "recurring_amount": amount}
    stand(organization, Status.CURRENT, "pro", **paid)


def page_of(client: Client) -> str:
    return client.get(PAGE).content.decode()


def tables(client: Client) -> Tables:
    found: Tables = {}
    for label, body in re.findall(
        r'<table aria-label="([^"]+)">.*?<tbody>(.*?)</tbody>', page_of(client), re.DOTALL
    ):
        rows = re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)
        found[label] = [[_cell(cell) for cell in re.split(r"</t[hd]>", row)[:-1]] for row in rows]
    return found


def _cell(html: str) -> tuple[str, str | None]:
    link = re.search(r'href="([^"]+)"', html)
    return unescape(re.sub(r"<[^>]+>", "", html).strip()), unescape(link[1]) if link else None


def texts(row: list[tuple[str, str | None]]) -> list[str]:
    return [text for text, _link in row]


# --- What is counted ------------------------------------------------------------------------------


def test_each_kind_of_movement_is_counted_in_its_month(cast: Cast) -> None:
    plant(cast.acme, PRO, at=months_ago(2))
    plant(cast.acme, *(BUSINESS, PRO, OWED, PRO, FREE), at=months_ago(1))
    assert count() == 6
    # The first line says that it was free before, and business after it.
    found = Movement.objects.order_by("pk").values_list("kind", "amount", "month")
    assert list(found) == [
        ("new", 1900, month_of(months_ago(2))),
        ("new", 4900, month_of(months_ago(1))),
        ("downgraded", -3000, month_of(months_ago(1))),
        ("lapsed", -1900, month_of(months_ago(1))),
        ("recovered", 1900, month_of(months_ago(1))),
        ("left", -1900, month_of(months_ago(1))),
    ]


def test_who_moves_twice_in_a_month_is_counted_twice(cast: Cast) -> None:
    plant(cast.acme, PRO, FREE, PRO)
    count()
    (total,) = MovementTotal.objects.filter(kind="new")
    assert (total.movements, total.amount) == (2, 3800)


SIDES = st.sampled_from([FREE, PRO, BUSINESS, OWED, told(None), told(700, currency="jpy")])
STEPS = st.lists(
    st.tuples(st.integers(0, MONTHS - 1), st.integers(0, 2), SIDES, st.booleans()), max_size=12
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(STEPS)
def test_whenever_it_is_counted_the_sums_are_those_of_the_lines(cast: Cast, steps: Any) -> None:
    """A few organizations go through anything, in order of time, and are counted meanwhile."""
    with undone():
        sides = [FREE] * 3
        expected: Counter[Any] = Counter()
        for ago, who, side, is_counted in sorted(steps, key=lambda step: -step[0]):
            data = {"before": sides[who], "after": side}
            at = months_ago(ago)
            UserEventLog.objects.create(
                event=Event.STANDING_CHANGED, organization_id=who, data=data, created_at=at
            )
            moved, sides[who] = movement_of(sides[who], side, {"pro": 1, "business": 2}), side
            if moved:
                key = (month_of(at), moved.kind.value, moved.currency)
                expected[*key, "movements"] += 1
                expected[*key, "amount"] += moved.amount or 0
            if is_counted:
                count()
        count()
        found: Counter[Any] = Counter()
        for each in MovementTotal.objects.all():
            key = (each.month, each.kind, each.currency)
            found[*key, "movements"], found[*key, "amount"] = each.movements, each.amount
        assert found == expected


def test_counting_again_changes_nothing(cast: Cast) -> None:
    plant(cast.acme, PRO, BUSINESS, at=months_ago(3))
    plant(cast.acme, PRO)

    def rows() -> list[Any]:
        return [list(model.objects.order_by("pk").values()) for model in (Movement, MovementTotal)]

    assert count() == 3
    before = rows()
    assert count() == 0
    assert rows() == before


def test_a_line_whose_transaction_was_open_meanwhile_is_found(cast: Cast) -> None:
    (first,) = plant(cast.acme, PRO)
    key = first.pk + 5
    data = {"before": FREE, "after": PRO}
    lines = [
        UserEventLog(pk=pk, event=Event.STANDING_CHANGED, organization=cast.acme, data=data)
        for pk in (key + 1, key)
    ]
    for number, line in enumerate(lines):
        line.save(force_insert=True)
        count()
        assert Movement.objects.count() == 2 + number


def test_standings_are_summed_up_by_tier_status_and_currency(cast: Cast) -> None:
    pays(cast.acme, 1900)
    for amount, currency in ((4900, "eur"), (None, "eur"), (700, "jpy")):
        pays(OrganizationFactory.create(), amount, currency)
    OrganizationFactory.create()
    count()
    # Nobody is left who pays in yen.
    Standing.objects.filter(recurring_currency="jpy").update(recurring_amount=1, status="past_due")
    count()
    fields = ("tier", "status", "currency", "organizations", "told", "amount")
    assert sorted(StandingTotal.objects.values_list(*fields)) == [
        ("free", "free", "", 1, 0, 0),
        ("pro", "current", "eur", 3, 2, 6800),
        ("pro", "past_due", "jpy", 1, 1, 1),
    ]


def test_the_daily_command_counts(cast: Cast, capsys: pytest.CaptureFixture[str]) -> None:
    plant(cast.acme, PRO)
    call_command("count_revenue")
    assert capsys.readouterr().out == "1 movements noted.\n"


# --- With Stripe ----------------------------------------------------------------------------------


def test_the_story_of_a_payer_is_told_in_movements(payer: Payer, cast: Cast) -> None:
    payer.subscribe()
    payer.sync()
    assert (standing := Standing.objects.get()).recurring_amount == 1900
    assert standing.recurring_currency == "eur"
    payer.change_card("4000000000000341")
    payer.advance(32)
    payer.sync()
    payer.change_card("4242424242424242")
    payer.pay()
    payer.sync()
    payer.cancel()
    payer.advance(40)
    payer.sync()
    count()
    found = Movement.objects.order_by("pk").values_list("kind", "amount", "currency")
    assert list(found) == [
        ("new", 1900, "eur"),
        ("lapsed", -1900, "eur"),
        ("recovered", 1900, "eur"),
        ("left", -1900, "eur"),
    ]
    line = UserEventLog.objects.filter(event=Event.STANDING_CHANGED).latest("pk")
    assert line.data["before"]["recurring"] == {"currency": "eur", "amount": 1900}
    assert line.data["after"]["recurring"] is None


# --- The page -------------------------------------------------------------------------------------


@pytest.fixture
def busy(cast: Cast) -> Client:
    """Acme and two more have moved and stand in some ways; Dana's browser."""
    yen, untold = OrganizationFactory.create(), OrganizationFactory.create()
    plant(cast.acme, PRO, OWED, PRO, FREE, at=months_ago(1))
    plant(cast.acme, PRO)
    plant(yen, told(700, currency="jpy"), told(900, currency="jpy"))
    plant(untold, told(None))
    pays(cast.acme, 1950)
    pays(yen, 900, "jpy")
    pays(untold, None)
    stand(OrganizationFactory.create(), Status.LAPSED, None)
    count()
    return signed_in(cast.dana)


def test_the_page_says_what_was_counted(busy: Client) -> None:
    found = tables(busy)
    recurring = [texts(row) for row in found["Recurring revenue by currency and standing"]]
    assert recurring == [
        ["EUR, current", "2", "€19.50", "1"],
        ["JPY, current", "1", "¥900", "0"],
    ]
    by_tier = [texts(row) for row in found["Organizations by tier and standing"]]
    assert by_tier[:2] == [["Free", "0", "0", "0", "1"], ["Pro", "0", "3", "0", "0"]]
    months = [texts(row)[1:] for row in found["Movements by month"]]
    assert months[:3] == [
        ["3", "1", "0", "0", "0", "0"],
        ["1", "0", "0", "1", "1", "1"],
        ["0"] * 6,
    ]
    assert len(months) == MONTHS
    euros = [texts(row)[1:] for row in found["Change of recurring revenue by month in EUR"]]
    assert euros[:2] == [
        ["+€19 (2)", "0", "0", "0", "0", "0"],
        ["+€19 (1)", "0", "0", "-€19 (1)", "+€19 (1)", "-€19 (1)"],
    ]
    yen = [texts(row)[1:] for row in found["Change of recurring revenue by month in JPY"]]
    assert yen[0] == ["+¥700 (1)", "+¥200 (1)", "0", "0", "0", "0"]


def test_the_chart_says_what_the_table_says(busy: Client) -> None:
    (data,) = re.findall(r'<script id="chart-data"[^>]*>(.*?)</script>', page_of(busy))
    drawn = json.loads(data)
    in_table = [texts(row) for row in reversed(tables(busy)["Movements by month"])]
    assert len(drawn["labels"]) == MONTHS
    columns = dict(zip(("New", "Upgraded", "Downgraded", "Lapsed", "Recovered", "Left"),
                       zip(*(row[1:] for row in in_table), strict=True), strict=True))  # fmt: skip
    lines = {line["label"]: tuple(map(str, line["data"])) for line in drawn["lines"]}
    assert lines == columns
    looks = {(line["colour"], *line["borderDash"]) for line in drawn["lines"]}
    assert len(looks) == len(drawn["lines"])


def test_each_number_leads_to_as_many_rows(busy: Client) -> None:
    followed = 0
    for rows in tables(busy).values():
        for row in rows:
            for text, link in row[1:]:
                if link is None:
                    assert text in {"0", "Nothing was counted yet."}
                    continue
                shown = busy.get(link).context["cl"].result_count
                # An amount stands beside its number, or before it.
                number = re.search(r"\((\d+)\)$", text)
                expected = number[1] if number else text if text.isdigit() else row[1][0]
                assert shown == int(expected), (text, link)
                followed += 1
    assert followed == 3 + 2 + 2 + 6 + 5 + 2


def test_the_button_counts_again(cast: Cast) -> None:
    client = signed_in(cast.dana)
    assert "Nothing was counted yet." in page_of(client)
    plant(cast.acme, PRO)
    answer = client.post(PAGE, follow=True)
    assert "It is being counted." in answer.content.decode()
    assert texts(tables(client)["Movements by month"][0])[1] == "1"


def test_staff_who_see_a_part_of_the_organizations_see_no_revenue(cast: Cast) -> None:
    plant(cast.acme, PRO)
    plant(OrganizationFactory.create(name="Beta"), PRO)
    count()
    helper, manager = make_developer(), make_developer()
    grant(helper, VIEW, cast.acme, by=cast.dana)
    allow(manager, VIEW)
    for person, status in ((make_developer(), 403), (helper, 403), (manager, 200)):
        client = signed_in(person)
        assert client.get(PAGE).status_code == status
        for address in (*LISTS, reverse("admin:index")):
            page = client.get(address).content.decode()
            assert (f'href="{PAGE}"' in page) is (status == 200)
    assert signed_in(helper).post(PAGE).status_code == 403
    assert StandingTotal.objects.filter(counted_at__gt=timezone.now()).count() == 0
    # The movements of the one that they see are theirs to see, as its log is.
    listed = signed_in(helper).get(LISTS[0]).context["cl"].result_list
    assert [movement.organization for movement in listed] == [cast.acme]


def test_a_removed_organizations_movements_are_listed_still(cast: Cast) -> None:
    plant(cast.acme, PRO)
    count()
    Movement.objects.update(organization=999_999)
    by_role, looks = make_developer(), Role.objects.create(key="looks", kind="developer")
    looks.permissions.add(number_of(VIEW))
    roles.assign_role(user=by_role, role=looks, by=cast.dana, now=timezone.now())
    for person in (cast.dana, by_role):
        client = signed_in(person)
        assert client.get(LISTS[0]).context["cl"].result_count == 1
        page = reverse("admin:billing_movement_change", args=[Movement.objects.get().pk])
        assert client.get(page).status_code == 200


def test_movements_are_downloaded_as_they_are_filtered(busy: Client) -> None:
    address = reverse("admin:billing_movement_csv")
    answer: Any = busy.get(address, {"month": f"{months_ago(1):%Y-%m}", "kind__exact": "lapsed"})
    (row,) = csv.DictReader(answer.getvalue().decode("utf-8-sig").splitlines())
    assert (row["organization"], row["kind"], row["amount in minor units"]) == (
        "Acme",
        "lapsed",
        "-1900",
    )


@pytest.mark.parametrize("odd", ["x", "2026-13", "2026-W02", "9" * 30, ""])
def test_a_month_that_is_none_filters_nothing(busy: Client, odd: str) -> None:
    everything = busy.get(LISTS[0]).context["cl"].result_count
    assert busy.get(LISTS[0], {"month": odd}).context["cl"].result_count == everything


def test_the_page_costs_the_same_with_many_organizations(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = signed_in(cast.dana)
    for number in (1, 200):
        # All of one owner, which the database would refuse in the end.
        with undone():
            keys = range(10**6, 10**6 + number)
            data = {"before": FREE, "after": PRO}
            Organization.objects.bulk_create(
                Organization(pk=key, name=f"Team {key}", slug=f"team-{key}", owner=cast.alice)
                for key in keys
            )
            Standing.objects.bulk_create(Standing(organization_id=key) for key in keys)
            UserEventLog.objects.bulk_create(
                UserEventLog(event=Event.STANDING_CHANGED, organization_id=key, data=data)
                for key in keys
            )
            count()
            # Session and person; two kinds of sums, and the tiers.
            with django_assert_num_queries(5):
                shown = tables(client)
            assert texts(shown["Movements by month"][0])[1] == str(number)
            assert texts(shown["Organizations by tier and standing"][0])[1] == str(number + 1)
