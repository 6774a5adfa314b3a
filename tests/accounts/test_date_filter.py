"""Lists of the admin by date: from a year to a month to a day, and back."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from accounts.admin_dates import Period
from orgs.models import Organization
from tests.cast import Cast, OrganizationFactory, signed_in

pytestmark = pytest.mark.django_db

LIST = reverse("admin:orgs_organization_changelist")
FOUNDED = {
    "Old": datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC),
    "New": datetime(2026, 1, 1, tzinfo=UTC),
    "Leap": datetime(2026, 2, 28, 12, tzinfo=UTC),
    "March": datetime(2026, 3, 1, tzinfo=UTC),
}


@pytest.fixture
def dana(cast: Cast) -> Client:
    """Four organizations, in the order in which they were founded, and no other."""
    long_ago = datetime(2001, 1, 1, tzinfo=UTC)
    Organization.objects.filter(pk=cast.acme.pk).update(created_at=long_ago)
    for name, moment in FOUNDED.items():
        founded = OrganizationFactory.create(name=name)
        Organization.objects.filter(pk=founded.pk).update(created_at=moment)
    return signed_in(cast.dana)


@pytest.mark.parametrize(
    ("on", "names"),
    [
        ("2025", ["Old"]),
        ("2026", ["March", "Leap", "New"]),
        ("2026-01", ["New"]),
        ("2026-02", ["Leap"]),
        ("2026-01-01", ["New"]),
        ("2026-02-28", ["Leap"]),
        ("2026-03-02", []),
        ("2024", []),
        ("2030", []),
    ],
)
def test_a_period_has_its_rows_and_no_others(dana: Client, on: str, names: list[str]) -> None:
    shown = dana.get(LIST, {"on": on}).context["cl"].result_list
    assert [organization.name for organization in shown] == names


@pytest.mark.parametrize("on", ["", "nonsense", "2026-13", "2026-02-30", "0", "1-2-3-4", "99999"])
def test_what_is_no_period_narrows_nothing(dana: Client, on: str) -> None:
    assert len(dana.get(LIST, {"on": on}).context["cl"].result_list) == len(FOUNDED) + 1


@time_machine.travel(datetime(2026, 3, 2, 9, tzinfo=UTC), tick=False)
def test_a_year_leads_to_its_months_and_a_month_to_its_days_as_far_as_they_have_come(
    cast: Cast,
) -> None:
    client = Client()
    client.force_login(cast.dana)

    def offered(on: str) -> list[str]:
        page = client.get(LIST, {"on": on, "q": "acme"})
        (calendar,) = [each for each in page.context["cl"].filter_specs if each.title == "founded"]
        choices = list(calendar.choices(page.context["cl"]))
        assert all("q=acme" in each["query_string"] for each in choices)
        return [each["display"] for each in choices]

    years = ["Any date", "2026", "2025", "2024", "2023", "2022"]
    assert offered("") == years
    assert offered("2026") == [*years, "Jan", "Feb", "Mar"]
    assert offered("2026-03") == [*years, "Jan", "Feb", "Mar", "1", "2"]
    assert offered("1999")[-13:-11] == ["1999", "Jan"]


@pytest.mark.parametrize(
    ("text", "first", "after"),
    [
        ("2024", date(2024, 1, 1), date(2025, 1, 1)),
        ("2024-02", date(2024, 2, 1), date(2024, 3, 1)),
        ("2024-12", date(2024, 12, 1), date(2025, 1, 1)),
        ("2024-02-29", date(2024, 2, 29), date(2024, 3, 1)),
        ("2024-12-31", date(2024, 12, 31), date(2025, 1, 1)),
    ],
)
def test_a_period_is_read_as_it_is_written(text: str, first: date, after: date) -> None:
    period = Period.read(text)
    assert period is not None
    assert (str(period), period.first, period.after) == (text, first, after)
