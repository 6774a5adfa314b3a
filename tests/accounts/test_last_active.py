"""Who was active when: written rarely, never moved back, and never in a page's way."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.db import OperationalError, connection, connections, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from accounts import activity, haste, services
from accounts.models import ActiveWeek, User
from orgs import services as orgs
from orgs.models import Organization
from tests.cast import PASSWORD, Cast, OrganizationFactory, lock, make_cast, signed_in
from tests.impersonating import impersonating
from tests.together import together

# A Thursday.
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
MONDAY = date(2026, 11, 23)
QUARTER = timedelta(minutes=15)

here = pytest.mark.django_db
committed = pytest.mark.django_db(transaction=True)


def was_active(person: User, moment: datetime | None) -> None:
    User.objects.filter(pk=person.pk).update(last_active=moment)
    person.refresh_from_db()


def last_active(person: User) -> datetime | None:
    return User.objects.values_list("last_active", flat=True).get(pk=person.pk)


def opens_home(person: User) -> list[str]:
    """Open a page; return the writes of activity that it made."""
    client = signed_in(person)
    with CaptureQueriesContext(connection) as made:
        assert client.get(reverse("home")).status_code == 200
    statements = [each["sql"] for each in made.captured_queries]
    return [sql for sql in statements if sql.startswith(("UPDATE", "INSERT"))]


@pytest.mark.parametrize(
    ("ago", "is_due"),
    [
        (None, True),
        (QUARTER, True),
        (timedelta(days=300), True),
        (QUARTER - timedelta(microseconds=1), False),
        (timedelta(0), False),
        (-timedelta(days=1), False),
    ],
)
def test_it_is_due_when_an_interval_has_passed(ago: timedelta | None, is_due: bool) -> None:
    before = None if ago is None else NOW - ago
    assert activity.is_due(before, NOW, QUARTER) is is_due


@pytest.mark.parametrize(
    ("moment", "monday"),
    [
        (datetime(2026, 11, 23, tzinfo=UTC), MONDAY),
        (datetime(2026, 11, 29, 23, 59, 59, tzinfo=UTC), MONDAY),
        (datetime(2026, 11, 30, tzinfo=UTC), date(2026, 11, 30)),
        (datetime.fromisoformat("2026-11-30T01:00:00+02:00"), MONDAY),
        (datetime(2027, 1, 1, tzinfo=UTC), date(2026, 12, 28)),
    ],
)
def test_weeks_begin_on_mondays_in_utc(moment: datetime, monday: date) -> None:
    assert activity.week_of(moment) == monday


@here
def test_requests_within_an_interval_write_once(cast: Cast) -> None:
    was_active(cast.bob, None)
    client, writes = signed_in(cast.bob), []
    for minutes, seconds in [(0, 0), (1, 0), (14, 59), (15, 0), (16, 0)]:
        with (
            time_machine.travel(NOW + timedelta(minutes=minutes, seconds=seconds), tick=False),
            CaptureQueriesContext(connection) as made,
        ):
            assert client.get(reverse("home")).status_code == 200
        statements = [each["sql"] for each in made.captured_queries]
        writes.append(sum(sql.startswith("UPDATE") for sql in statements))
        assert sum(sql.startswith("INSERT") for sql in statements) == writes[-1]
    assert writes == [1, 0, 0, 1, 0]
    assert last_active(cast.bob) == NOW + QUARTER
    assert ActiveWeek.objects.count() == 1


@here
def test_the_interval_is_a_setting(cast: Cast, settings: Settings) -> None:
    was_active(cast.bob, timezone.now() - timedelta(minutes=2))
    assert opens_home(cast.bob) == []
    settings.LAST_ACTIVE_INTERVAL = 60
    assert len(opens_home(cast.bob)) == 2


@here
def test_nothing_of_the_session_is_written(cast: Cast) -> None:
    was_active(cast.bob, None)
    client = signed_in(cast.bob)
    before = client.session.items(), client.session.get_expiry_date()
    answer = client.get(reverse("orgs:team"))
    assert last_active(cast.bob) is not None
    assert "sessionid" not in answer.cookies
    assert client.session.items() == before[0]


@here
def test_who_only_meets_the_lock_screen_is_not_active(cast: Cast) -> None:
    for person in (cast.alice, cast.bob):
        was_active(person, None)
    lock(cast.acme)
    for person in (cast.alice, cast.bob):
        signed_in(person).get(reverse("home"))
    assert last_active(cast.bob) is None
    assert last_active(cast.alice) is not None


@here
@pytest.mark.parametrize("page", ["account_logout", "orgs:leave"])
def test_the_ways_out_are_no_activity(cast: Cast, page: str) -> None:
    was_active(cast.bob, None)
    lock(cast.acme)
    client = signed_in(cast.bob)
    client.get(reverse(page))
    client.post(reverse(page))
    assert last_active(cast.bob) is None


@here
def test_log_in_is_noted_with_the_page_that_it_leads_to(cast: Cast) -> None:
    was_active(cast.bob, None)
    client = Client()
    form = {"login": cast.bob.email, "password": PASSWORD}
    answer = client.post(reverse("account_login"), form)
    assert last_active(cast.bob) is None
    client.get(answer.headers["Location"])
    assert last_active(cast.bob) is not None


@here
def test_visitors_and_missing_pages_write_nothing(cast: Cast) -> None:
    with CaptureQueriesContext(connection) as made:
        Client().get(reverse("home"))
        Client().get("/nowhere/")
    assert not [each for each in made.captured_queries if "last_active" in each["sql"]]


@here
def test_staff_and_people_of_no_organization_are_active_in_no_organizations_week(
    cast: Cast,
) -> None:
    for person in (cast.charlie, cast.dana):
        was_active(person, None)
        assert len(opens_home(person)) == 1
        assert last_active(person) is not None
    assert not ActiveWeek.objects.exists()


@here
def test_under_impersonation_nobody_is_active(cast: Cast) -> None:
    client = impersonating(cast.dana, cast.bob)
    was_active(cast.bob, None)
    assert client.get(reverse("home")).status_code == 200
    assert last_active(cast.bob) is None


@here
def test_what_a_request_loaded_long_ago_moves_nothing_back(cast: Cast) -> None:
    was_active(cast.bob, None)
    late = User.objects.get(pk=cast.bob.pk)
    assert services.note_activity(person=cast.bob, now=NOW)
    for moment in (NOW - timedelta(days=1), NOW - timedelta(seconds=1), NOW, NOW + QUARTER / 2):
        assert not services.note_activity(person=late, now=moment)
    assert last_active(cast.bob) == NOW


@here
def test_what_is_saved_later_in_the_request_does_not_move_it_back(cast: Cast) -> None:
    was_active(cast.bob, None)
    services.note_activity(person=cast.bob, now=NOW)
    cast.bob.save()
    assert last_active(cast.bob) == NOW


@here
def test_a_changed_password_takes_nothing_back_that_happened_meanwhile(cast: Cast) -> None:
    client = signed_in(cast.bob)
    password = "an entirely new phrase"
    form = {"oldpassword": PASSWORD, "password1": password, "password2": password}
    soon = timezone.now() + timedelta(hours=1)
    set_password = User.set_password

    def meanwhile(person: User, raw: str | None) -> None:
        was_active(cast.bob, soon)
        set_password(person, raw)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(User, "set_password", meanwhile)
        client.post(reverse("account_change_password"), form)
    cast.bob.refresh_from_db()
    assert (cast.bob.check_password(password), cast.bob.last_active) == (True, soon)


@here
def test_a_person_has_one_row_for_each_week_and_organization(cast: Cast) -> None:
    bob = cast.bob
    was_active(bob, None)
    for hours in (0, 1, 48):
        assert services.note_activity(person=bob, now=NOW + timedelta(hours=hours))
    assert services.note_activity(person=bob, now=NOW + timedelta(days=7))
    orgs.leave_organization(user=bob, now=timezone.now())
    bob.refresh_from_db()
    other = orgs.found_organization(name="Other", owner=bob)
    bob.refresh_from_db()
    assert services.note_activity(person=bob, now=NOW + timedelta(days=8))
    rows = ActiveWeek.objects.order_by("pk").values_list("person", "organization_id", "week")
    assert list(rows) == [
        (bob.pk, cast.acme.pk, MONDAY),
        (bob.pk, cast.acme.pk, MONDAY + timedelta(days=7)),
        (bob.pk, other.pk, MONDAY + timedelta(days=7)),
    ]


@here
def test_the_weeks_go_with_the_person_and_stay_with_a_gone_organization(cast: Cast) -> None:
    team = OrganizationFactory.create()
    owner = team.owner
    owner.refresh_from_db()
    for person in (cast.bob, owner):
        was_active(person, None)
        services.note_activity(person=person, now=NOW)
    assert orgs.close_organization(organization=team, by=owner, now=NOW)
    assert not Organization.objects.filter(pk=team.pk).exists()
    assert ActiveWeek.objects.count() == 2
    services.delete_person(person=owner, by=cast.dana)
    assert ActiveWeek.objects.get().person == cast.bob


@committed
def test_of_several_requests_at_once_one_writes() -> None:
    bob = make_cast().bob
    was_active(bob, None)
    loaded = [User.objects.get(pk=bob.pk) for _ in range(4)]

    def note(person: User, late: int) -> Callable[[], bool]:
        now = NOW + timedelta(seconds=late)
        return lambda: services.note_activity(person=person, now=now)

    results = together(*[note(person, late) for late, person in enumerate(loaded)])
    written = [late for late, result in enumerate(results) if result is True]
    assert len(written) == 1
    # Whoever finds another at it may give up; nobody fails in another way.
    assert {type(each) for each in results} <= {bool, OperationalError}
    assert last_active(bob) == NOW + timedelta(seconds=written[0])
    assert ActiveWeek.objects.count() == 1


def somebody_waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM pg_stat_activity "
            "WHERE datname = current_database() AND wait_event_type = 'Lock')"
        )
        ((waits,),) = cursor.fetchall()
    return bool(waits)


@committed
@pytest.mark.postgres
@pytest.mark.parametrize("minutes", [1, 20])
def test_who_waits_for_a_writer_asks_again_and_loses_nothing(
    minutes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second sees what the first wrote, and not what there was when both began."""
    monkeypatch.setattr(haste, "PATIENCE", 20_000)
    bob = make_cast().bob
    was_active(bob, None)
    first, second = (User.objects.get(pk=bob.pk) for _ in range(2))
    later = NOW + timedelta(minutes=minutes)

    def note_second() -> bool:
        try:
            return services.note_activity(person=second, now=later)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            assert services.note_activity(person=first, now=NOW)
            waiting = pool.submit(note_second)
            while not (somebody_waits_for_a_lock() or waiting.done()):
                pass
        is_due = minutes >= 15
        assert waiting.result() is is_due
    assert last_active(bob) == (later if is_due else NOW)
    assert ActiveWeek.objects.count() == 1


@contextmanager
def busy_writer(person: User) -> Iterator[None]:
    """Somebody else writes: on SQLite to the file, on PostgreSQL to this person's row."""
    if connection.vendor == "sqlite":
        writer = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
        writer.execute("BEGIN IMMEDIATE")
        yield
        writer.execute("ROLLBACK")
        writer.close()
        return
    other = connection.copy()
    other.set_autocommit(False)
    with other.cursor() as cursor:
        cursor.execute("SELECT 1 FROM accounts_user WHERE id = %s FOR UPDATE", [person.pk])
    yield
    other.rollback()
    other.close()


@committed
def test_a_busy_writer_neither_slows_nor_fails_a_page(caplog: pytest.LogCaptureFixture) -> None:
    cast = make_cast()
    was_active(cast.bob, None)
    client = signed_in(cast.bob)
    client.get(reverse("home"))
    was_active(cast.bob, None)
    with busy_writer(cast.bob):
        began = time.monotonic()
        answer = client.get(reverse("home"))
        took = time.monotonic() - began
    assert (answer.status_code, took < 1) == (200, True)
    assert "was not noted" in caplog.text
    assert last_active(cast.bob) is None
    # Nothing is left of it: the next request notes it, and others wait for a writer as ever.
    client.get(reverse("home"))
    assert last_active(cast.bob) is not None
    if connection.vendor == "sqlite":
        ((milliseconds,),) = connection.connection.execute("PRAGMA busy_timeout").fetchall()
        assert milliseconds == 20_000
