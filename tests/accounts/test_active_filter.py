"""Staff's list of people by when they were last active, and the download of it."""

from __future__ import annotations

import csv
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User, UserEventLog
from orgs.models import Organization
from orgs.permissions import VIEW
from tests.cast import (
    Cast,
    OrganizationFactory,
    PersonFactory,
    add_member,
    make_cast,
    signed_in,
)
from tests.kept import put_back
from tests.orgs.two_organizations import make_scene
from tests.staff import make_developer

pytestmark = pytest.mark.django_db

LIST, DOWNLOAD = (reverse(f"admin:accounts_user_{page}") for page in ("changelist", "csv"))
AGO = {"today": 0, "yesterday": 2, "last week": 8, "lately": 31, "once": 91}


@pytest.fixture
def people(db: None) -> Cast:
    """Somebody who was active so many days ago each, and somebody who never was."""
    return put_back(make_people)


def make_people() -> Cast:
    cast, now = make_cast(), timezone.now()
    for name, days in AGO.items():
        was_active(add_member(cast.acme, email=f"{name.replace(' ', '')}@x.example"), now, days)
    never = add_member(cast.acme, email="never@x.example")
    User.objects.filter(pk=never.pk).update(last_active=None)
    return cast


def was_active(person: User, now: datetime, days: int) -> None:
    User.objects.filter(pk=person.pk).update(last_active=now - timedelta(days=days))


def rows(answer: Any) -> list[dict[str, str]]:
    assert answer.status_code == 200
    return list(csv.DictReader(answer.getvalue().decode("utf-8-sig").splitlines()))


def shown(client: Client, **query: Any) -> list[str]:
    """Whom the list shows for a question, and the download has: the same, in the same order."""
    listed = client.get(LIST, query).context["cl"].result_list
    names = [each.email for each in listed if each.email.endswith("@x.example")]
    downloaded = [row["e-mail address"] for row in rows(client.get(DOWNLOAD, query))]
    assert [each for each in downloaded if each.endswith("@x.example")] == names
    return [name.removesuffix("@x.example") for name in names]


@pytest.mark.parametrize(
    ("active", "expected"),
    [
        ("1", ["today"]),
        ("7", ["today", "yesterday"]),
        ("30", ["today", "yesterday", "lastweek"]),
        ("90", ["today", "yesterday", "lastweek", "lately"]),
        ("dormant", ["lately", "once"]),
        ("never", ["never"]),
    ],
)
def test_people_are_found_by_when_they_were_active(
    people: Cast, active: str, expected: list[str]
) -> None:
    client = signed_in(people.dana)
    assert shown(client, active=active) == expected
    in_acme = {"organization__id__exact": people.acme.pk}
    assert sorted(shown(client, active=active, **in_acme)) == sorted(expected)
    assert len(shown(client, active="nonsense")) == 6


def test_the_list_leads_to_the_download_of_what_it_shows(people: Cast) -> None:
    page = signed_in(people.dana).get(LIST, {"active": "7"}).content.decode()
    assert f'href="{DOWNLOAD}?active=7"' in page


def test_a_search_is_downloaded_as_it_is_shown(people: Cast) -> None:
    assert shown(signed_in(people.dana), q="once@") == ["once"]


def test_a_question_that_means_nothing_leads_back_to_the_list(people: Cast) -> None:
    answer = signed_in(people.dana).get(DOWNLOAD, {"organization__id__exact": "x"})
    assert (answer.status_code, answer.headers["Location"]) == (302, LIST)


def test_names_that_a_spreadsheet_would_run_are_only_text(cast: Cast) -> None:
    User.objects.filter(pk=cast.bob.pk).update(name="=1+1")
    Organization.objects.filter(pk=cast.acme.pk).update(name="@Acme")
    downloaded = rows(signed_in(cast.dana).get(DOWNLOAD))
    (bob,) = [row for row in downloaded if row["e-mail address"] == cast.bob.email]
    assert (bob["name"], bob["organization"]) == ("'=1+1", "'@Acme")
    (dana,) = [row for row in downloaded if row["e-mail address"] == cast.dana.email]
    assert dana["organization"] == ""


def test_the_log_says_who_downloaded_the_list(cast: Cast) -> None:
    signed_in(cast.dana).get(DOWNLOAD)
    line = UserEventLog.objects.get(event="list_exported")
    assert (line.actor, line.data) == (cast.dana, {"list": "accounts.user"})


def test_who_may_not_see_the_list_gets_no_download(cast: Cast) -> None:
    """Django's `accounts.view_user`, or any organization that they see."""
    assert signed_in(make_developer()).get(DOWNLOAD).status_code == 403
    assert signed_in(cast.alice).get(DOWNLOAD).status_code == 302
    assert rows(signed_in(make_developer(VIEW)).get(DOWNLOAD))
    assert signed_in(cast.dana).post(DOWNLOAD).status_code == 405
    assert UserEventLog.objects.filter(event="list_exported").count() == 1


def test_a_scope_holds_in_the_filter_and_in_the_download(cast: Cast) -> None:
    scene = make_scene(cast)
    for query in ({}, {"active": "7"}, {"organization__id__exact": scene.beta.pk}):
        found = {row["organization"] for row in rows(scene.client.get(DOWNLOAD, query))}
        assert found <= {"Acme"}
        assert bool(found) is ("organization__id__exact" not in query)


def test_the_download_costs_the_same_with_more_people(
    cast: Cast, django_assert_num_queries: Any
) -> None:
    client = signed_in(cast.dana)
    for _ in range(2):
        # Session and person, how many there are, the log's line, and the rows.
        with django_assert_num_queries(5):
            rows(client.get(DOWNLOAD))
        for _ in range(3):
            add_member(OrganizationFactory.create())
            PersonFactory.create()
