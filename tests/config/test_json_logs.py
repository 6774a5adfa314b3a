"""The log for machines: ids on every line, and nothing that tells who somebody is."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.mail import send_mail
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path, reverse
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from billing import services
from billing.models import Standing
from config.logs import JsonFormatter
from config.urls import urlpatterns as product_urls
from orgs import emails
from orgs import services as organizations
from tests.billing.test_webhooks import endpoint, event, post
from tests.cast import PASSWORD, OrganizationFactory, PersonFactory
from tests.impersonating import impersonating
from tests.payer import Payer
from tests.sandbox_process import SandboxProcess

__all__ = ["endpoint"]

NAME, ADDRESS, TEAM = "Zelda Quist", "zelda.quist@example.org", "Quistwerk"
FROM, DEVICE, SECRET = "203.0.113.77", "ZeldaPhone/9", "a5tound1ng-password"
# Whatever of it is written, one of these shows.
PERSONAL = ("zelda", "quist", FROM, SECRET, PASSWORD)


def broken(request: HttpRequest, token: str) -> HttpResponse:
    """Fail as a database does, which quotes the person's address."""
    person = User.objects.get(email=ADDRESS)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE accounts_user SET email = %s WHERE id != %s", [person.email, person.pk]
        )
    raise AssertionError("The database let it pass.")


def careless(request: HttpRequest) -> HttpResponse:
    """Fail with words about the person."""
    try:
        raise ValueError(f"{NAME} <{ADDRESS}> is not welcome")
    except ValueError as error:
        raise KeyError(f"{NAME} again") from error


urlpatterns = [
    *product_urls,
    path("broken/<str:token>/", broken, name="broken"),
    path("careless/", careless, name="careless"),
]


class Log:
    """What was logged, as an operator sees it."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    def of(self, route: str) -> dict[str, Any]:
        """The last line that an answered request of a route left."""
        return [line for line in self.lines if line.get("route") == route][-1]

    def assert_impersonal(self) -> None:
        text = self.stream.getvalue().lower()
        assert text
        assert not [each for each in PERSONAL if each.lower() in text], text


@pytest.fixture
def log(settings: Settings) -> Iterator[Log]:
    settings.ROOT_URLCONF = __name__
    found, root = Log(), logging.getLogger()
    handler = logging.StreamHandler(found.stream)
    handler.setFormatter(JsonFormatter())
    levels = {name: logging.getLogger(name).level for name in ("", "config.observing")}
    root.addHandler(handler)
    for name in levels:
        logging.getLogger(name).setLevel(logging.INFO)
    yield found
    root.removeHandler(handler)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@pytest.fixture
def zelda(db: None) -> User:
    person: User = PersonFactory.create(email=ADDRESS, name=NAME)
    OrganizationFactory.create(name=TEAM, owner=person)
    person.refresh_from_db()
    return person


def browser(person: User | None = None, **more: Any) -> Client:
    client = Client(
        REMOTE_ADDR=FROM,
        HTTP_USER_AGENT=DEVICE,
        HTTP_REFERER=f"http://testserver/?who={ADDRESS}",
        raise_request_exception=False,
        **more,
    )
    if person is not None:
        client.force_login(person)
    return client


def test_an_answered_request_leaves_a_line_with_ids_and_what_came_of_it(
    log: Log, zelda: User
) -> None:
    answer = browser(zelda).get(reverse("orgs:team"), {"q": NAME})
    line = log.of("orgs:team")
    assert line["request_id"] == answer.headers["X-Request-ID"]
    assert (line["user_id"], line["organization_id"]) == (zelda.pk, zelda.organization_id)
    assert (line["method"], line["status"], line["level"]) == ("GET", 200, "INFO")
    assert 0 <= line["milliseconds"] < 60_000
    assert line["time"].endswith("+00:00")
    log.assert_impersonal()


def test_log_ins_leave_no_address_and_no_password(log: Log, zelda: User) -> None:
    client, page = browser(), reverse("account_login")
    client.post(page, {"login": ADDRESS, "password": SECRET})
    assert log.of("account_login")["user_id"] is None
    client.post(page, {"login": ADDRESS, "password": PASSWORD})
    assert log.of("account_login")["user_id"] == zelda.pk
    client.post(reverse("account_logout"))
    log.assert_impersonal()


def test_links_that_hold_tokens_are_named_by_their_route(log: Log, zelda: User) -> None:
    assert zelda.organization is not None
    invitation = organizations.invite(
        organization=zelda.organization, email=f"x{ADDRESS}", by=zelda, now=timezone.now()
    )
    token = emails.invitation_token(invitation)
    browser().get(reverse("orgs:invitation", args=[token]))
    browser().get(reverse("account_reset_password_from_key", args=["1", "abc-def"]))
    browser().get(reverse("broken", args=["t0ken-of-a-link"]))
    assert log.of("orgs:invitation")["status"] in (200, 302)
    text = log.stream.getvalue()
    assert not [each for each in (token, "abc-def", "t0ken-of-a-link") if each in text]
    log.assert_impersonal()


def test_what_is_not_found_or_forged_leaves_no_path(log: Log, zelda: User) -> None:
    assert browser(zelda).get("/zelda/quist/", {"mail": ADDRESS}).status_code == 404
    guarded = browser(zelda, enforce_csrf_checks=True)
    assert guarded.post(reverse("accounts:rename"), {"name": NAME}).status_code == 403
    assert browser(HTTP_HOST="elsewhere.example.org").get("/").status_code == 400
    assert log.of("unknown")["status"] == 400
    assert {"django.security.csrf", "django.security.DisallowedHost"} <= {
        line["logger"] for line in log.lines
    }
    log.assert_impersonal()


@pytest.mark.parametrize(
    ("route", "arguments", "error"),
    [
        ("broken", ["x"], "django.db.utils.IntegrityError"),
        ("careless", [], "builtins.KeyError"),
    ],
)
def test_an_error_tells_its_type_and_way_and_not_what_it_says(
    log: Log, zelda: User, route: str, arguments: list[str], error: str
) -> None:
    PersonFactory.create()
    answer = browser(zelda).get(reverse(route, args=arguments))
    assert answer.status_code == 500
    (line,) = [line for line in log.lines if line.get("error")]
    assert (line["level"], line["error"]) == ("ERROR", error)
    assert (line["user_id"], line["request_id"]) == (zelda.pk, answer.headers["X-Request-ID"])
    assert any(route in step and "test_json_logs.py:" in step for step in line["way"])
    log.assert_impersonal()


def test_the_cause_of_an_error_is_on_its_way(log: Log, zelda: User) -> None:
    browser(zelda).get(reverse("careless"))
    (line,) = [line for line in log.lines if line.get("error")]
    assert "builtins.ValueError" in line["way"]


def test_an_impersonation_names_both(log: Log, zelda: User) -> None:
    dana = PersonFactory.create(user_type="developer", is_staff=True, is_superuser=True)
    impersonating(dana, zelda).get(reverse("home"))
    line = log.of("home")
    assert (line["user_id"], line["impersonator_id"]) == (zelda.pk, dana.pk)
    log.assert_impersonal()


def test_a_webhook_leaves_no_word_of_its_body(log: Log, endpoint: Any, zelda: User) -> None:
    said = {"object": {"id": "cus_9", "object": "customer", "email": ADDRESS, "name": NAME}}
    assert post(endpoint, event(data=said)).status_code == 200
    assert post(endpoint, event(data=said), **{"stripe-signature": "t=1,v1=0"}).status_code == 400
    assert "evt_1" in log.stream.getvalue()
    log.assert_impersonal()


@pytest.mark.django_db(transaction=True)
def test_a_failed_sync_names_the_organization_by_its_id(
    log: Log, stripe_account: SandboxProcess, zelda: User
) -> None:
    stripe_account.weather([{"path": "/v1/*", "status": 500}])
    Standing.objects.update(sync_requested_at=timezone.now())
    services.sync_due(now=timezone.now())
    lines = [line for line in log.lines if line["logger"] == "billing.services.marks"]
    assert [line["organization_id"] for line in lines] == [zelda.organization_id]
    assert lines[0]["request_id"] is None
    log.assert_impersonal()


@pytest.mark.django_db(transaction=True)
def test_a_mail_that_cannot_be_sent_names_nobody(
    log: Log, payer: Payer, settings: Settings, zelda: User
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    browser().post(reverse("account_reset_password"), {"email": ADDRESS})
    try:
        send_mail("Hello", "Text", None, [ADDRESS])
    except OSError:
        logging.getLogger("anybody").exception("No mail to %s from %s", ADDRESS, FROM)
    line = log.lines[-1]
    assert line["message"] == "No mail to *** from ***"
    assert line["error"] == "builtins.ConnectionRefusedError"
    log.assert_impersonal()


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("Invalid request from ip=2001:db8::7: bad", "Invalid request from ip=*** bad"),
        ("Key sk_live_51Habc is wrong", "Key *** is wrong"),
        (f"first\nsecond about {NAME}", "first"),
        ("Organization 7 is not synced: Stripe", "Organization 7 is not synced: Stripe"),
    ],
)
def test_what_libraries_say_is_looked_through(said: str, written: str) -> None:
    record = logging.LogRecord("library", logging.WARNING, "x.py", 1, said, None, None)
    assert json.loads(JsonFormatter().format(record))["message"] == written


def test_only_fields_that_are_meant_are_written() -> None:
    record = logging.LogRecord("library", logging.INFO, "x.py", 1, "Said", None, None)
    record.__dict__ |= {"email": ADDRESS, "request": object(), "organization_id": 7}
    written = json.loads(JsonFormatter().format(record))
    assert written["organization_id"] == 7
    assert set(written) == {
        *("time", "level", "logger", "message", "request_id", "user_id", "organization_id")
    }
