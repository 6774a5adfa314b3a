"""A person's own security page: what happened to their account, and from where."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.events import Event
from accounts.models import UserEventLog
from tests.cast import Cast, signed_in

pytestmark = pytest.mark.django_db

PAGE = reverse("accounts:security")
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def test_people_see_what_happened_to_them_with_address_and_device(cast: Cast) -> None:
    UserEventLog.objects.create(
        event=Event.LOGIN_FAILED, user=cast.bob, ip_address="192.0.2.66", device=FIREFOX
    )
    page = signed_in(cast.bob).get(PAGE).content.decode()
    for told in ("failed to log in", "192.0.2.66", "Firefox on Linux"):
        assert told in page


def test_others_lines_and_what_is_no_matter_of_security_are_not_there(cast: Cast) -> None:
    UserEventLog.objects.create(event=Event.LOGIN, user=cast.alice, ip_address="192.0.2.1")
    UserEventLog.objects.create(event=Event.ROLE_ASSIGNED, user=cast.bob, actor=cast.alice)
    page = signed_in(cast.bob).get(PAGE)
    assert "Nothing yet." in page.content.decode()


def test_where_our_own_staff_sit_is_not_told(cast: Cast) -> None:
    facts = {"ip_address": "192.0.2.5", "device": FIREFOX, "user": cast.bob}
    UserEventLog.objects.create(event=Event.PERSON_DEACTIVATED, actor=cast.dana, **facts)
    UserEventLog.objects.create(event=Event.LOGOUT, actor=cast.bob, impersonator=cast.dana, **facts)
    page = signed_in(cast.bob).get(PAGE).content.decode()
    assert "was deactivated" in page
    assert "192.0.2.5" not in page
    assert "Firefox" not in page


def test_pages_are_read_by_an_index_and_go_on_where_the_last_one_ended(cast: Cast) -> None:
    UserEventLog.objects.bulk_create(
        UserEventLog(event=Event.LOGIN, user=cast.bob, actor=cast.bob) for _each in range(70)
    )
    client = signed_in(cast.bob)
    with CaptureQueriesContext(connection) as made:
        first = client.get(PAGE)
    assert len(first.context["entries"]) == 50
    assert sum("usereventlog" in each["sql"] for each in made.captured_queries) == 1
    second = client.get(PAGE, {"before": first.context["older"]})
    assert len(second.context["entries"]) == 20
    assert client.get(PAGE, {"before": "x"}).status_code == 200
