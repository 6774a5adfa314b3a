"""The weeks in which people were active: counted, summed up once they are over, and forgotten."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import services
from accounts.activity import WEEKS, Week, shown_weeks, weeks_of, weeks_of_all
from accounts.models import ActiveWeek, ActiveWeekTotal, User
from orgs.models import Organization
from tests.cast import Cast, OrganizationFactory

pytestmark = pytest.mark.django_db

# A Thursday.
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
MONDAY = date(2026, 11, 23)
WEEK = timedelta(weeks=1)


def active(person: User, organization: Organization, *weeks_ago: int) -> None:
    for ago in weeks_ago:
        ActiveWeek.objects.create(
            person=person, organization_id=organization.pk, week=MONDAY - ago * WEEK
        )


@pytest.fixture
def beta(cast: Cast) -> Organization:
    """Acme's two were active this week and last; Beta's owner in the week before that."""
    beta: Organization = OrganizationFactory.create()
    active(cast.alice, cast.acme, 0, 1, 2)
    active(cast.bob, cast.acme, 0, 1)
    active(beta.owner, beta, 2)
    return beta


EXPECTED = [Week(MONDAY - 2 * WEEK, 2, 2), Week(MONDAY - WEEK, 2, 1), Week(MONDAY, 2, 1)]


def test_half_a_year_is_shown_week_by_week_the_empty_ones_too(beta: Organization) -> None:
    weeks = weeks_of_all(NOW)
    assert weeks[-3:] == EXPECTED
    assert weeks[:-3] == [Week(monday) for monday in shown_weeks(NOW)[:-3]]
    assert (len(weeks), weeks[0].monday) == (WEEKS, MONDAY - 25 * WEEK)


def test_some_organizations_weeks_are_theirs_alone(cast: Cast, beta: Organization) -> None:
    weeks = weeks_of(ActiveWeek.objects.filter(organization_id=beta.pk), NOW)
    assert weeks[-3:] == [Week(MONDAY - 2 * WEEK, 1, 1), Week(MONDAY - WEEK), Week(MONDAY)]


def test_who_changes_organizations_within_a_week_is_one_person(
    cast: Cast, beta: Organization
) -> None:
    active(cast.bob, beta, 0)
    assert weeks_of_all(NOW)[-1] == Week(MONDAY, people=2, organizations=2)


def test_weeks_that_are_over_are_summed_up_once_and_look_the_same(beta: Organization) -> None:
    before = weeks_of_all(NOW)
    assert services.sum_up_activity(now=NOW) == (2, 0)
    assert weeks_of_all(NOW) == before
    assert services.sum_up_activity(now=NOW) == (0, 0)


def test_a_week_is_not_summed_up_before_everybody_has_written(beta: Organization) -> None:
    sunday_night = datetime(2026, 11, 23, tzinfo=UTC)
    assert services.sum_up_activity(now=sunday_night) == (1, 0)
    assert services.sum_up_activity(now=sunday_night + timedelta(days=1)) == (1, 0)


def test_what_was_summed_up_stays_when_people_go(cast: Cast, beta: Organization) -> None:
    services.sum_up_activity(now=NOW)
    services.delete_person(person=cast.bob, by=cast.dana)
    assert [week.people for week in weeks_of_all(NOW)[-3:]] == [2, 2, 1]


def test_who_was_active_is_forgotten_after_half_a_year_and_how_many_is_not(
    cast: Cast, beta: Organization
) -> None:
    active(cast.alice, cast.acme, WEEKS - 1, WEEKS, WEEKS + 10)
    assert services.sum_up_activity(now=NOW) == (5, 2)
    assert not ActiveWeek.objects.filter(week__lt=shown_weeks(NOW)[0]).exists()
    assert ActiveWeekTotal.objects.filter(week__lt=shown_weeks(NOW)[0]).count() == 2
    assert weeks_of_all(NOW)[0].people == 1


def test_many_old_rows_go_by_and_by(
    cast: Cast, beta: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "BATCH", 2)
    active(cast.alice, cast.acme, *range(30, 35))
    assert services.sum_up_activity(now=NOW)[1] == 5


def test_the_command_says_what_it_did(
    beta: Organization, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("sum_up_activity")
    assert "weeks summed up" in capsys.readouterr().out


def test_what_is_over_costs_a_row_a_week_however_many_were_active(beta: Organization) -> None:
    services.sum_up_activity(now=NOW)
    # Were the rows of summed weeks counted again, they would show.
    ActiveWeek.objects.filter(week__lt=MONDAY).delete()
    with CaptureQueriesContext(connection) as made:
        assert weeks_of_all(NOW)[-3:] == EXPECTED
    assert len(made) == 2
