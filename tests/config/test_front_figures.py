"""The admin's front page: the figures that staff come for, what they cost, and who is told them."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from billing import services
from billing.models import Movement, MovementTotal, Standing, Status
from billing.movements import shown_months
from orgs.models import Organization
from orgs.permissions import VIEW
from tests.cast import Cast, OrganizationFactory, lock, signed_in
from tests.staff import allow, grant, make_developer

pytestmark = pytest.mark.django_db

FRONT = reverse("admin:index")
STANDINGS = reverse("admin:billing_standing_changelist")
NAMES = ["Transfer requests", "Locked today", "Failed events", "Drift", "Dormant payers"]


def page_of(client: Client) -> str:
    return unescape(client.get(FRONT).content.decode())


def figures_of(page: str) -> dict[str, str]:
    """A number for each name."""
    return dict(
        re.findall(r'figure-name">([^<]+)</span> <strong class="figure">([^<]+)</strong>', page)
    )


def table(page: str, name: str) -> list[list[str]]:
    """The text of a table's cells, row by row."""
    (found,) = re.findall(rf'<table aria-label="{name}">(.*?)</table>', page, re.DOTALL)
    rows = re.findall(r"<tr>(.*?)</tr>", found, re.DOTALL)[1:]
    cells = (re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in rows)
    return [[re.sub(r"<[^>]+>", "", cell).strip() for cell in row] for row in cells]


def drawn(page: str, name: str) -> Any:
    (data,) = re.findall(rf'<script id="{name}"[^>]*>(.*?)</script>', page)
    return json.loads(data)


@pytest.fixture
def paying(cast: Cast) -> Cast:
    """Acme pays €19 a month since this month; another paid ¥900, and owes them now."""
    owing = OrganizationFactory.create(name="Owing")
    for organization, status, currency, amount in (
        (cast.acme, Status.CURRENT, "eur", 1900),
        (owing, Status.PAST_DUE, "jpy", 900),
    ):
        Standing.objects.filter(organization=organization).update(
            status=status, recurring_currency=currency, recurring_amount=amount
        )
    services.count_revenue(now=timezone.now())
    *_others, before, present = shown_months(timezone.now())
    for month, currency, amount in (
        (before, "jpy", 900),
        (present, "jpy", -900),
        (present, "eur", 1900),
    ):
        MovementTotal.objects.create(
            month=month, kind="new", currency=currency, movements=1, amount=amount
        )
    return cast


def test_figures_are_told_also_when_they_are_nothing(cast: Cast) -> None:
    Standing.objects.update(sync_requested_at=None, synced_at=timezone.now())
    dana = signed_in(cast.dana)
    assert figures_of(page_of(dana)) == dict.fromkeys(NAMES, "0")
    lock(cast.acme, since=timezone.now() - timedelta(hours=2))
    assert figures_of(page_of(dana)) == dict.fromkeys(NAMES, "0") | {"Locked today": "1"}


def test_before_anything_is_counted_the_page_says_so(cast: Cast) -> None:
    page = page_of(signed_in(cast.dana))
    assert "Nothing was counted yet." in page
    assert "Nothing is paid yet." in page
    assert "<canvas" not in page


def test_organizations_are_told_by_standing_with_their_list(paying: Cast) -> None:
    dana = signed_in(paying.dana)
    page = page_of(dana)
    assert table(page, "Organizations by standing") == [
        ["Free", "0"],
        ["Current", "1"],
        ["Past due", "1"],
        ["Lapsed", "0"],
    ]
    assert drawn(page, "standings-data")["lines"][0]["data"] == [0, 1, 1, 0]
    assert f'href="{STANDINGS}?status__exact=past_due"' in page
    (row,) = dana.get(f"{STANDINGS}?status__exact=past_due").context["cl"].result_list
    assert row.organization.name == "Owing"


def test_revenue_is_told_by_currency_now_and_at_the_end_of_each_month(paying: Cast) -> None:
    page = page_of(signed_in(paying.dana))
    assert figures_of(page)["A month"] == "€19"
    # What is owed is not paid: of yen there was something, and there is nothing now.
    months = table(page, "Recurring revenue at the end of each month")
    assert [row[1:] for row in months] == [["€19", "¥0"], ["€0", "¥900"], *[["€0", "¥0"]] * 4]
    lines = {line["label"]: line["data"] for line in drawn(page, "months-data")["lines"]}
    assert lines == {"EUR": [0, 0, 0, 0, 0, 19], "JPY": [0, 0, 0, 0, 900, 0]}


def test_sums_of_all_are_for_those_who_see_all(paying: Cast) -> None:
    helper = make_developer()
    grant(helper, VIEW, paying.acme, by=paying.dana)
    page = page_of(signed_in(helper))
    assert "€19" not in page
    assert "by standing" not in page
    # Who is dormant is counted for all at once, and not told of a part.
    assert list(figures_of(page)) == NAMES[:-1]
    everything = make_developer()
    allow(everything, VIEW)
    assert figures_of(page_of(signed_in(everything)))["Dormant payers"] == "0"
    assert figures_of(page_of(signed_in(make_developer()))) == {}


# --- What it costs --------------------------------------------------------------------------------


def plant_many(number: int) -> None:
    """So many more organizations, each with its owner, past the services."""
    first = 10**6
    with connection.constraint_checks_disabled():
        User.objects.bulk_create(
            User(id=first + each, email=f"many{each}@example.com", organization_id=first + each)
            for each in range(number)
        )
        Organization.objects.bulk_create(
            Organization(id=first + each, name="Many", slug=f"many-{each}", owner_id=first + each)
            for each in range(number)
        )
        Standing.objects.bulk_create(
            Standing(organization_id=first + each, status=Status.LAPSED, reason="unmapped_price")
            for each in range(number)
        )


@pytest.mark.parametrize(
    ("page", "statements"),
    [
        (FRONT, 16),
        *(
            (reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"), number)
            for model, number in ((Organization, 5), (User, 4), (Standing, 4), (Movement, 4))
        ),
    ],
)
def test_a_page_makes_as_many_statements_with_two_hundred_organizations(
    cast: Cast, page: str, statements: int
) -> None:
    def made(client: Client) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(page).status_code == 200
        return len(captured)

    dana = signed_in(cast.dana)
    services.count_revenue(now=timezone.now())
    assert made(dana) == statements
    plant_many(200)
    services.count_revenue(now=timezone.now())
    assert made(dana) == statements
