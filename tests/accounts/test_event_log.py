"""What logging in, and what makes it safe, leaves in the log; and of which request."""

from __future__ import annotations

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.db import DatabaseError, transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse

from accounts import services
from accounts.events import GROUPS, Event
from accounts.impersonation import HISTORY
from accounts.models import User, UserEventLog
from accounts.request_context import RequestContextMiddleware
from tests.cast import PASSWORD, Cast
from tests.second_factor import log_in, one_time_code, prove, set_up_second_factor

pytestmark = pytest.mark.django_db

NEW_PASSWORD = "a better horse battery"
BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"}


@pytest.fixture(autouse=True)
def _the_cast_is_there_before(cast: Cast) -> None:
    """What makes the cast leaves lines too; these tests look at what comes after."""


def lines(*events: Event) -> list[UserEventLog]:
    return list(UserEventLog.objects.filter(event__in=events).order_by("pk"))


def only(event: Event, **data: Any) -> UserEventLog:
    (line,) = lines(event)
    assert {key: line.data[key] for key in data} == data
    return line


def post_log_in(email: str, password: str = PASSWORD, **headers: str) -> Client:
    client = Client(headers=headers)
    client.post(reverse("account_login"), {"login": email, "password": password})
    return client


def test_a_log_in_and_a_log_out_are_told_with_address_device_and_request(cast: Cast) -> None:
    client = post_log_in("bob@example.com", **BROWSER)
    line = only(Event.LOGIN, methods=["password"])
    assert (line.user, line.actor, line.organization) == (cast.bob, cast.bob, cast.acme)
    assert (line.ip_address, line.device) == ("127.0.0.1", BROWSER["User-Agent"])
    assert re.fullmatch(r"[0-9a-f]{32}", line.request_id)
    client.post(reverse("account_logout"))
    assert only(Event.LOGOUT).user == cast.bob


def test_a_second_factor_is_named_and_a_wrong_one_told(cast: Cast) -> None:
    secret = set_up_second_factor(cast.bob)
    client = post_log_in("bob@example.com")
    assert lines(Event.LOGIN) == []
    client.post(reverse("mfa_authenticate"), {"code": "000000"})
    failed = only(Event.SECOND_FACTOR_FAILED, type="totp")
    assert (failed.user, failed.actor, failed.organization) == (cast.bob, None, cast.acme)
    client.post(reverse("mfa_authenticate"), {"code": one_time_code(secret)})
    only(Event.LOGIN, methods=["password", "totp"])


def test_a_wrong_password_is_told_of_the_person_and_names_no_actor(cast: Cast) -> None:
    post_log_in("BOB@example.com", "wrong")
    line = only(Event.LOGIN_FAILED)
    assert (line.user, line.actor, line.organization, line.data) == (
        cast.bob,
        None,
        cast.acme,
        {},
    )


def test_a_strangers_address_cannot_be_read_from_the_log_but_is_the_same_each_time() -> None:
    for address in ("nobody@example.org", "Nobody@example.org", "other@example.org"):
        post_log_in(address, "wrong")
    told = [line.data["address"] for line in lines(Event.LOGIN_FAILED)]
    assert told[0] == told[1] != told[2]
    assert not any("nobody" in each or "example" in each for each in told)


def test_password_changes_are_told(cast: Cast) -> None:
    client = log_in(cast.bob)
    form = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    client.post(reverse("account_change_password"), form)
    assert only(Event.PASSWORD_CHANGED).actor == cast.bob


def test_a_password_reset_is_told(cast: Cast) -> None:
    client = Client()
    client.post(reverse("account_reset_password"), {"email": "bob@example.com"})
    link = re.search(r"http://testserver(/\S+)", str(mail.outbox[-1].body))
    assert link is not None
    form = client.get(link.group(1), follow=True).redirect_chain[-1][0]
    client.post(form, {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
    assert only(Event.PASSWORD_RESET).user == cast.bob


def test_second_factors_are_told_by_their_kind(cast: Cast) -> None:
    client = prove(cast.bob)
    client.post(reverse("mfa_generate_recovery_codes"))
    client.post(reverse("mfa_deactivate_totp"))
    told = lines(
        Event.SECOND_FACTOR_ADDED, Event.RECOVERY_CODES_RENEWED, Event.SECOND_FACTOR_REMOVED
    )
    assert [(line.event, line.data.get("type")) for line in told[-2:]] == [
        ("second_factor_removed", "totp"),
        ("second_factor_removed", "recovery_codes"),
    ]
    assert {line.user for line in told} == {cast.bob}


def test_addresses_are_told_by_their_keys(cast: Cast) -> None:
    client = prove(cast.bob)
    client.post(reverse("account_email"), {"action_add": "", "email": "robert@example.com"})
    code = re.search(r"^\s*([0-9A-Z]{4}-[0-9A-Z]{4})\s*$", str(mail.outbox[-1].body), re.M)
    assert code is not None
    client.post(reverse("account_email_verification_sent"), {"code": code.group(1)})
    added = EmailAddress.objects.get(email="robert@example.com")
    only(Event.EMAIL_CONFIRMED, address=added.pk)
    assert "robert" not in str([line.data for line in UserEventLog.objects.all()])


def test_a_new_person_is_told() -> None:
    form = {
        "email": "erin@example.com",
        "password1": PASSWORD,
        "name": "Erin",
        "organization_name": "Erin's",
    }
    Client().post(reverse("account_signup"), form)
    line = UserEventLog.objects.filter(event=Event.PERSON_CREATED).latest("pk")
    assert line.user == User.objects.get(email="erin@example.com")
    assert line.ip_address == "127.0.0.1"
    assert UserEventLog.objects.latest("pk").request_id == line.request_id


# --- The request ----------------------------------------------------------------------------


def test_a_request_is_named_by_whoever_stands_in_front_of_us_or_by_us(cast: Cast) -> None:
    client = Client()
    named = client.get("/", headers={"X-Request-ID": "edge-1234567"})
    assert named["X-Request-ID"] == "edge-1234567"
    for nonsense in ("", "short", "a" * 65, "with space 123", "zeile\u00e4nnnnn"):
        answer = client.get("/", headers={"X-Request-ID": nonsense})
        assert re.fullmatch(r"[0-9a-f]{32}", answer["X-Request-ID"])


def test_a_device_may_call_itself_what_it_likes(cast: Cast) -> None:
    post_log_in("bob@example.com", **{"User-Agent": "\x00" + "x" * 5000})
    assert only(Event.LOGIN).device == "x" * 200


def test_a_line_outside_a_request_names_none(cast: Cast) -> None:
    client = post_log_in("bob@example.com")
    client.get("/")
    line = services.record_event(Event.LOCK_BEGAN, organization_id=cast.acme.pk)
    assert (line.request_id, line.ip_address, line.device) == ("", None, "")


def test_a_line_of_an_impersonated_request_names_both(cast: Cast, rf: RequestFactory) -> None:
    def answer(_request: HttpRequest) -> HttpResponse:
        services.record_event(Event.LOGOUT, user=cast.bob, actor=cast.bob)
        services.record_event(Event.IMPERSONATION_ENDED, user=cast.bob, actor=cast.dana)
        return HttpResponse()

    request: Any = rf.get("/")
    request.session = {HISTORY: [str(cast.dana.pk)]}
    RequestContextMiddleware(answer)(request)
    assert (only(Event.LOGOUT).actor, only(Event.LOGOUT).impersonator) == (cast.bob, cast.dana)
    assert only(Event.IMPERSONATION_ENDED).impersonator is None


def test_a_line_goes_with_what_it_tells_of(cast: Cast) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        services.set_active(person=cast.bob, is_active=False, by=cast.dana)
        raise DatabaseError
    assert lines(Event.PERSON_DEACTIVATED) == []
    cast.bob.refresh_from_db()
    assert cast.bob.is_active


def test_every_kind_of_event_is_found_by_a_filter() -> None:
    grouped = [event for _label, events in GROUPS.values() for event in events]
    assert sorted(grouped) == sorted(Event)
