"""How much organizations use the product: staff's page by week, and each organization's part."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts import services as accounts
from accounts.activity import WEEKS, week_of
from accounts.models import ActiveWeek, User, UserEventLog
from orgs.engagement import engagement_of
from orgs.models import Organization
from orgs.permissions import VIEW
from tests.cast import Cast, OrganizationFactory, add_member, signed_in
from tests.orgs.many_rows import MEMBERS, PEOPLE, fill, rows_read, statements
from tests.orgs.two_organizations import Scene, make_scene
from tests.staff import grant, make_developer

pytestmark = pytest.mark.django_db

PAGE = reverse("admin:orgs_organization_activity")
DOWNLOAD = reverse("admin:orgs_organization_activity_csv")
WEEK = timedelta(weeks=1)


def monday(weeks_ago: int = 0) -> date:
    return week_of(timezone.now()) - weeks_ago * WEEK


def active(person: User, organization: Organization, weeks_ago: int = 0) -> None:
    row = ActiveWeek(person=person, organization_id=organization.pk, week=monday(weeks_ago))
    row.save()


@pytest.fixture
def scene(cast: Cast) -> Scene:
    """Two of Acme's and one of Beta's were active last week, and Alice in this one."""
    scene = make_scene(cast)
    ActiveWeek.objects.all().delete()
    active(cast.alice, cast.acme)
    active(cast.alice, cast.acme, 1)
    active(cast.bob, cast.acme, 1)
    active(scene.beta.owner, scene.beta, 1)
    return scene


def downloaded(client: Client) -> list[list[str]]:
    answer: Any = client.get(DOWNLOAD)
    return list(csv.reader(answer.getvalue().decode("utf-8-sig").splitlines()))


def drawn(client: Client) -> dict[str, list[int]]:
    """The lines of the chart."""
    page = client.get(PAGE).content.decode()
    (data,) = re.findall(r'<script id="chart-data"[^>]*>(.*?)</script>', page)
    return {line["label"]: line["data"] for line in json.loads(data)["lines"]}


def in_table(client: Client) -> list[list[int]]:
    """The figures of the table, row by row."""
    cells = re.findall(r"<td>(\d+)</td>", client.get(PAGE).content.decode())
    return [
        [int(people), int(teams)] for people, teams in zip(cells[::2], cells[1::2], strict=True)
    ]


def test_chart_table_and_download_say_the_same(scene: Scene) -> None:
    client = signed_in(scene.cast.dana)
    assert in_table(client)[:3] == [[1, 1], [3, 2], [0, 0]]
    assert (len(in_table(client)), len(downloaded(client))) == (WEEKS, WEEKS + 1)
    lines = drawn(client)
    assert list(lines) == ["Active people", "Active organizations"]
    assert [list(pair) for pair in zip(*lines.values(), strict=True)] == in_table(client)[::-1]
    assert downloaded(client)[-2:] == [
        [monday(1).isoformat(), "3", "2"],
        [monday().isoformat(), "1", "1"],
    ]


def test_what_was_summed_up_looks_the_same(scene: Scene) -> None:
    client = signed_in(scene.cast.dana)
    before = in_table(client)
    accounts.sum_up_activity(now=timezone.now() + WEEK)
    assert in_table(client) == before


def test_a_scope_sees_its_own_part_however_much_was_summed_up(scene: Scene) -> None:
    for _ in range(2):
        assert in_table(scene.client)[:3] == [[1, 1], [2, 1], [0, 0]]
        assert downloaded(scene.client)[-2][1:] == ["2", "1"]
        accounts.sum_up_activity(now=timezone.now() + WEEK)


def test_it_is_for_staff_who_see_an_organization(cast: Cast) -> None:
    for address in (PAGE, DOWNLOAD):
        assert signed_in(make_developer("accounts.view_user")).get(address).status_code == 403
        assert signed_in(make_developer(VIEW)).get(address).status_code == 200
        assert signed_in(cast.alice).get(address).status_code == 302
        assert signed_in(cast.dana).post(address).status_code == 405


def test_the_log_says_who_downloaded_the_figures(cast: Cast) -> None:
    downloaded(signed_in(cast.dana))
    line = UserEventLog.objects.get(event="list_exported")
    assert (line.actor, line.data) == (cast.dana, {"list": "activity"})


def test_no_script_stands_in_the_page(scene: Scene) -> None:
    page = signed_in(scene.cast.dana).get(PAGE).content.decode()
    for attributes in re.findall(r"<script([^>]*)>", page):
        assert "src=" in attributes or 'type="application/json"' in attributes


def test_the_list_of_organizations_leads_to_it(cast: Cast) -> None:
    page = signed_in(cast.dana).get(reverse("admin:orgs_organization_changelist"))
    assert f'href="{PAGE}"' in page.content.decode()


@pytest.mark.parametrize("summed_up", [True, False])
def test_the_page_costs_the_same_with_more_activity(
    scene: Scene, summed_up: bool, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    dana, scoped = signed_in(scene.cast.dana), scene.client
    for _ in range(2):
        if summed_up:
            accounts.sum_up_activity(now=timezone.now())
        # Session and person; sums and counts. The scoped: permissions, and counts.
        with django_assert_num_queries(4):
            dana.get(PAGE)
        with django_assert_num_queries(7):
            scoped.get(PAGE)
        for ago in range(3):
            other = OrganizationFactory.create()
            active(other.owner, other, ago)


# --- An organization's own page -------------------------------------------------------------------


def was_active(person: User, days_ago: float | None) -> None:
    moment = None if days_ago is None else timezone.now() - timedelta(days=days_ago)
    User.objects.filter(pk=person.pk).update(last_active=moment)


def page_of(client: Client, organization: Organization) -> str:
    address = reverse("admin:orgs_organization_change", args=[organization.pk])
    page = client.get(address).content.decode()
    return re.sub(r"\s+", " ", page.split('id="engagement"')[1].split("</fieldset>")[0])


def test_an_organizations_page_says_how_many_are_active_and_who_was_last(cast: Cast) -> None:
    for name, days in (("weekly", 6.9), ("monthly", 29), ("gone", 31), ("never", None)):
        was_active(add_member(cast.acme, name=name), days)
    was_active(cast.alice, 0)
    was_active(cast.bob, 1)
    deleted = add_member(cast.acme, name="Deleted")
    User.objects.filter(pk=deleted.pk).update(is_active=False, deleted_at=timezone.now())
    add_member(OrganizationFactory.create())
    page = page_of(signed_in(cast.dana), cast.acme)
    assert "6 people are on the team." in page
    assert "Active in the last 7 days: 3. In the last 30 days: 4." in page
    named = re.findall(r'<th scope="row"><a[^>]*>(.*?)</a>', page)
    assert named == ["Alice Adams", "Bob Brown", "weekly", "monthly", "gone", "never"]
    assert "<td>Never</td>" in page
    assert "Dormant" not in page


def test_an_organization_of_people_who_were_away_is_dormant(cast: Cast) -> None:
    for person in (cast.alice, cast.bob):
        was_active(person, 31)
    assert "Dormant: nobody was active in the last 30 days." in page_of(
        signed_in(cast.dana), cast.acme
    )


def test_a_large_team_shows_its_latest_and_costs_the_same(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(2):
        engagement_of(cast.acme, timezone.now())
    for _ in range(12):
        add_member(cast.acme)
    with django_assert_num_queries(2):
        found = engagement_of(cast.acme, timezone.now())
    assert (found.people, len(found.latest)) == (14, 10)
    assert "These are the ones who were active last." in page_of(signed_in(cast.dana), cast.acme)


# --- As many rows as a large installation has -----------------------------------------------------


def fill_weeks() -> None:
    """Every thirteenth person was active in each of the weeks that are shown."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO accounts_activeweek (person_id, organization_id, week)
            SELECT person.id, person.organization_id, week::date
            FROM generate_series(%s::date, %s::date, interval '7 days') AS week,
                accounts_user AS person
            WHERE person.organization_id IS NOT NULL AND person.id %% {WEEKS // 2} = 0
            """,
            [monday(WEEKS - 1), monday()],
        )
        cursor.execute("ANALYZE accounts_activeweek")


def costs(person: User) -> Iterator[int]:
    client = signed_in(person)
    for sql in statements(partial(client.get, PAGE)):
        yield rows_read(sql)


@pytest.mark.postgres
def test_with_many_people_the_pages_read_sums_or_what_is_in_scope(cast: Cast) -> None:
    fill(cast)
    fill_weeks()
    helper = make_developer()
    grant(helper, VIEW, cast.acme, by=cast.dana)
    accounts.sum_up_activity(now=timezone.now() + timedelta(days=2))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE accounts_activeweektotal")
    a_week = PEOPLE // (WEEKS // 2)
    assert max(costs(cast.dana)) <= 2 * a_week + WEEKS
    assert max(costs(helper)) <= WEEKS * MEMBERS
    # One team's, however many others there are.
    for sql in statements(lambda: engagement_of(cast.acme, timezone.now())):
        assert rows_read(sql) <= 2 * MEMBERS
