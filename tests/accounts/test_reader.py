"""Times in the zone of whoever reads them: as the browser tells it, or told it last."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from django.core import mail
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from accounts import reader, times
from accounts.events import Event
from accounts.models import User, UserEventLog
from billing import mails
from billing.models import PayerMail, Standing
from billing.notices import Kind, notices_of
from orgs import emails
from orgs import services as orgs
from orgs.models import Organization, Tier
from tests.billing.situations import EACH
from tests.billing.stripe_objects import NOW as SITUATION_NOW
from tests.cast import Cast, lock, signed_in
from tests.impersonating import impersonating

AUCKLAND, LOS_ANGELES = "Pacific/Auckland", "America/Los_Angeles"
# In Auckland it is the next day, in Los Angeles the day before.
MORNING = datetime(2026, 5, 3, 3, 30, tzinfo=UTC)
NOON = datetime(2026, 5, 3, 12, 30, tzinfo=UTC)
SECURITY = reverse("accounts:security")
ACTIVITY = reverse("orgs:activity")


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    yield
    assert timezone.get_current_timezone_name() == "UTC"


def browser(person: User, zone: str = "") -> Client:
    client = signed_in(person)
    if zone:
        client.cookies[reader.COOKIE] = zone
    return client


def noted(cast: Cast, at: datetime) -> None:
    UserEventLog.objects.create(
        event=Event.LOGIN, user=cast.alice, actor=cast.alice, organization=cast.acme, created_at=at
    )


def stored(person: User) -> tuple[str, str]:
    return User.objects.values_list("time_zone", "language").get(pk=person.pk)


@pytest.mark.parametrize(
    ("zone", "at", "shown", "named"),
    [
        (AUCKLAND, NOON, "2026-05-04 00:30", AUCKLAND),
        (AUCKLAND, MORNING, "2026-05-03 15:30", AUCKLAND),
        (LOS_ANGELES, MORNING, "2026-05-02 20:30", LOS_ANGELES),
        (LOS_ANGELES, NOON, "2026-05-03 05:30", LOS_ANGELES),
        # Half an hour before the clock goes forward, and half an hour after.
        ("Europe/Berlin", datetime(2026, 3, 29, 0, 30, tzinfo=UTC), "2026-03-29 01:30", "Europe/B"),
        ("Europe/Berlin", datetime(2026, 3, 29, 1, 30, tzinfo=UTC), "2026-03-29 03:30", "Europe/B"),
        ("Asia/Kathmandu", NOON, "2026-05-03 18:15", "Asia/Kathmandu"),
        ("", NOON, "2026-05-03 12:30", "UTC"),
    ],
)
def test_a_page_shows_the_readers_day_and_hour_and_says_in_which_zone(
    cast: Cast, zone: str, at: datetime, shown: str, named: str
) -> None:
    noted(cast, at)
    page = browser(cast.alice, zone).get(SECURITY).content.decode()
    assert f">{shown}</time>" in page
    assert f"Times are in the zone {named}" in page
    # What a machine reads is the same moment.
    told = page.partition('<time datetime="')[2].partition('"')[0]
    assert datetime.fromisoformat(told) == at


def test_over_https_the_cookie_is_one_that_no_neighbour_can_set(cast: Cast) -> None:
    noted(cast, NOON)
    client = browser(cast.alice, AUCKLAND)
    assert "in the zone UTC" in client.get(SECURITY, secure=True).content.decode()
    client.cookies[f"__Host-{reader.COOKIE}"] = LOS_ANGELES
    page = client.get(SECURITY, secure=True).content.decode()
    assert f"in the zone {LOS_ANGELES}" in page


@pytest.mark.parametrize(
    "junk",
    ["Mars/Olympus", "../../etc/passwd", "UTC; DROP", "é", "A" * 5000, "Europe/", "europe/berlin "],
)
def test_what_is_no_zone_is_ignored_and_not_kept(cast: Cast, junk: str) -> None:
    noted(cast, NOON)
    client = signed_in(cast.alice)
    client.cookies[reader.COOKIE] = junk
    page = client.get(SECURITY)
    assert page.status_code == 200
    assert "Times are in the zone UTC" in page.content.decode()
    assert stored(cast.alice) == ("", "")


def test_a_visitor_has_their_zone_too(cast: Cast) -> None:
    client = Client()
    client.cookies[reader.COOKIE] = AUCKLAND
    assert client.get(reverse("account_login")).status_code == 200


def test_the_zone_is_kept_for_the_mails_and_for_browsers_that_tell_none(cast: Cast) -> None:
    noted(cast, NOON)
    browser(cast.alice, AUCKLAND).get(SECURITY)
    assert stored(cast.alice) == (AUCKLAND, "")
    page = browser(cast.alice).get(SECURITY).content.decode()
    assert "2026-05-04 00:30" in page
    assert stored(cast.alice) == (AUCKLAND, "")


def test_it_is_written_when_it_changes_and_costs_nothing_else(cast: Cast) -> None:
    client = browser(cast.alice)
    with CaptureQueriesContext(connection) as before:
        client.get(SECURITY)
    for zone, writes in ((AUCKLAND, 1), (AUCKLAND, 0), (LOS_ANGELES, 1), ("Mars/Olympus", 0)):
        client.cookies[reader.COOKIE] = zone
        with CaptureQueriesContext(connection) as made:
            client.get(SECURITY)
        updates = [each["sql"] for each in made if each["sql"].startswith("UPDATE")]
        assert len(updates) == writes
        if not writes:
            assert len(made) == len(before)
    assert stored(cast.alice) == (LOS_ANGELES, "")


def test_who_is_kept_out_and_who_impersonates_write_nothing(cast: Cast) -> None:
    lock(cast.acme)
    assert browser(cast.bob, AUCKLAND).get(SECURITY).status_code == 403
    assert stored(cast.bob) == ("", "")
    staff = impersonating(cast.dana, cast.alice)
    staff.cookies[reader.COOKIE] = AUCKLAND
    page = staff.get(reverse("billing:overview")).content.decode()
    # The reader is the one who impersonates.
    assert any(name in page for name in ("NZST", "NZDT"))
    assert stored(cast.alice) == ("", "")


def test_a_language_is_kept_unless_it_is_the_default_one(cast: Cast, settings: Settings) -> None:
    settings.LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("ar", "Arabic")]
    client = browser(cast.alice)
    page = client.get(SECURITY, headers={"accept-language": "de-AT,de;q=0.9"})
    assert '<html lang="de" dir="ltr">' in page.content.decode()
    assert stored(cast.alice) == ("", "de")
    page = client.get(SECURITY, headers={"accept-language": "ar"})
    assert '<html lang="ar" dir="rtl">' in page.content.decode()
    assert stored(cast.alice) == ("", "ar")
    client.get(SECURITY, headers={"accept-language": "fr"})
    assert stored(cast.alice) == ("", "")


def test_days_to_filter_by_are_the_readers_however_long_they_are(cast: Cast) -> None:
    """In Auckland, April 5, 2026 has 25 hours: from April 4, 11:00 UTC, to April 5, 12:00."""
    Organization.objects.update(tier=Tier.objects.get(key="business"))
    day = {"first_day": "2026-04-05", "last_day": "2026-04-05"}
    client = browser(cast.alice, AUCKLAND)
    for at, is_found in (
        (datetime(2026, 4, 4, 10, 59, tzinfo=UTC), False),
        (datetime(2026, 4, 4, 11, 0, tzinfo=UTC), True),
        (datetime(2026, 4, 5, 11, 59, tzinfo=UTC), True),
        (datetime(2026, 4, 5, 12, 0, tzinfo=UTC), False),
    ):
        noted(cast, at)
        found = [entry.at for entry in client.get(ACTIVITY, day).context["entries"]]
        assert (at in found) == is_found


def test_what_staff_type_in_is_meant_in_their_zone(cast: Cast) -> None:
    standing = Standing.objects.get(organization=cast.acme)
    page = reverse("admin:billing_standing_exempt", args=[standing.pk])
    client = browser(cast.dana, "Asia/Tokyo")
    assert "Until (Asia/Tokyo)" in client.get(page).content.decode()
    client.post(page, {"until": "2099-05-03T09:00", "reason": "Strike."})
    standing.refresh_from_db()
    assert standing.exempt_until == datetime(2099, 5, 3, 0, 0, tzinfo=UTC)
    assert "2099-05-03 09:00 JST" in client.get(page).content.decode()
    listed = client.get(reverse("admin:accounts_user_changelist"))
    assert listed.status_code == 200


def test_a_mail_is_in_the_zone_of_whom_it_goes_to_whoever_sends_it(cast: Cast) -> None:
    User.objects.filter(pk=cast.bob.pk).update(time_zone=AUCKLAND)
    cast.bob.refresh_from_db()
    cast.acme.closed_at = NOON
    with timezone.override(ZoneInfo(LOS_ANGELES)):
        emails.send_organization_closed(cast.acme, cast.bob)
        emails.send_organization_closed(cast.acme, cast.alice)
    to_bob, to_alice = (message.body for message in mail.outbox[-2:])
    assert "Until June 3, 2026" in to_bob
    assert "Until June 2, 2026" in to_alice


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        (AUCKLAND, "Please pay by June 22, 2026, midnight NZST; then"),
        (LOS_ANGELES, "Please pay by June 21, 2026, 5 a.m. PDT; then"),
        ("", "Please pay by June 21, 2026, noon UTC; then"),
        # Kept by a version of the zones that had it.
        ("Mars/Olympus", "Please pay by June 21, 2026, noon UTC; then"),
    ],
)
def test_a_mail_to_whoever_pays_is_in_the_owners_zone(cast: Cast, zone: str, words: str) -> None:
    User.objects.filter(pk=cast.alice.pk).update(time_zone=zone)
    row = PayerMail(
        organization=Organization.objects.get(pk=cast.acme.pk),
        kind=Kind.PAYMENT_FAILED,
        facts=notices_of(EACH[Kind.PAYMENT_FAILED], SITUATION_NOW)[0].facts,
    )
    rendered = mails.render(row)
    assert words in rendered.text
    assert words in rendered.html


def test_a_mail_is_in_the_language_of_whom_it_goes_to(cast: Cast, settings: Settings) -> None:
    settings.LANGUAGES = [("en", "English"), ("de", "Deutsch")]
    cast.alice.language = "de"
    with reader.reading_as(cast.alice):
        assert translation.get_language() == "de"
    # One that is no longer offered.
    cast.alice.language = "fr"
    with translation.override("de"), reader.reading_as(cast.alice):
        assert translation.get_language() == "en"


def test_the_erased_have_no_zone(cast: Cast) -> None:
    User.objects.filter(pk=cast.bob.pk).update(time_zone=AUCKLAND, language="de")
    orgs.delete_own_account(user=cast.bob, now=timezone.now())
    orgs.erase_deleted_people(now=timezone.now() + timedelta(days=31))
    assert stored(cast.bob) == ("", "")


ZONES = available_timezones()
texts = st.one_of(st.sampled_from(sorted(ZONES)), st.text(max_size=80))


@given(told=texts, kept=texts)
def test_any_cookie_is_a_zone_or_nothing_and_wins_over_the_last_one(told: str, kept: str) -> None:
    request = RequestFactory().get("/")
    request.COOKIES[reader.COOKIE] = told
    request.user = User(time_zone=kept)
    zone = reader.zone_of(request)
    names = [name for name in (told, kept) if name in ZONES]
    assert (zone.key if zone else None) == (names[0] if names else None)
    if zone is not None:
        with timezone.override(zone):
            assert times.minute(NOON).startswith(f"{NOON.astimezone(zone):%Y-%m-%d %H:%M} ")
