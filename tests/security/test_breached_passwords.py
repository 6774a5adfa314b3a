"""Each new password is asked about, and told to nobody; whoever does not answer holds up nobody."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from http.server import BaseHTTPRequestHandler
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts.breaches import LONGEST
from accounts.models import User
from accounts.passwords import BreachedPasswordValidator
from config.processes import BASE_DIR
from tests.cast import PASSWORD, Cast
from tests.choosing_passwords import WAYS, Way, whose
from tests.pwned_passwords import CHARACTERS_TOLD, RANGE, PwnedPasswords, digest_of

BREACHED = "a long one that leaked"
PADDING = "a long one that pads"
COMMON = "password123"
REFUSED = "This password has appeared in a data breach. Choose another one."
SCRIPT = """
import django
django.setup()
from django.contrib.auth.password_validation import validate_password
validate_password("a long one of somebody")
"""


@pytest.fixture
def service(settings: Settings) -> Iterator[PwnedPasswords]:
    with PwnedPasswords(BREACHED, padding=(PADDING,)) as service:
        settings.AUTH_PASSWORD_VALIDATORS = service.validators()
        yield service


@pytest.mark.parametrize("choose", WAYS)
def test_a_breached_one_is_refused_wherever_it_is_chosen(
    service: PwnedPasswords, cast: Cast, choose: Way
) -> None:
    answer = choose(cast, BREACHED)
    person = whose(choose)
    assert REFUSED in answer.content.decode()
    assert person is None or person.check_password(PASSWORD)


@pytest.mark.parametrize("choose", WAYS)
def test_another_is_taken_and_asked_about_once(
    service: PwnedPasswords, cast: Cast, choose: Way
) -> None:
    choose(cast, "a long one of one's own")
    person = whose(choose)
    assert person is not None
    assert person.check_password("a long one of one's own")
    assert len(service.asked) == 1


def test_a_row_that_only_pads_the_answer_refuses_nothing(service: PwnedPasswords) -> None:
    validate_password(PADDING)
    assert len(service.asked) == 1


def test_five_characters_of_its_digest_are_all_that_is_told(service: PwnedPasswords) -> None:
    with pytest.raises(ValidationError):
        validate_password(BREACHED)
    (asked,) = service.asked
    digest = digest_of(BREACHED)
    assert asked.startswith(f"GET {RANGE}{digest[:CHARACTERS_TOLD]} HTTP/1.1\n")
    assert digest[: CHARACTERS_TOLD + 1] not in asked.upper()
    assert BREACHED not in asked
    assert "cookie" not in asked.lower()


def test_a_common_one_is_told_to_nobody(service: PwnedPasswords) -> None:
    with pytest.raises(ValidationError, match="too common"):
        validate_password(COMMON)
    assert service.asked == []


def answer_with(
    status: int, body: bytes, request: BaseHTTPRequestHandler, headers: dict[str, str] | None = None
) -> None:
    request.send_response(status)
    for name, value in ({"Content-Length": str(len(body))} | (headers or {})).items():
        request.send_header(name, value)
    request.end_headers()
    # Whoever asked may have left.
    with suppress(OSError):
        request.wfile.write(body)


def say(said: bytes, request: BaseHTTPRequestHandler) -> None:
    request.wfile.write(said)


ROW = f"{digest_of(BREACHED)[CHARACTERS_TOLD:]}:7".encode()
NONSENSE = {
    "500": partial(answer_with, 500, ROW),
    "429": partial(answer_with, 429, b""),
    "404": partial(answer_with, 404, b"<html>"),
    "a redirect": partial(answer_with, 302, b"", headers={"Location": "/elsewhere"}),
    "a page": partial(answer_with, 200, b"<html>Pay for this network.</html>"),
    "a row among others": partial(answer_with, 200, ROW + b"\r\nOops."),
    "a count that is none": partial(answer_with, 200, ROW + b".5"),
    "nothing": partial(answer_with, 200, b""),
    "no text": partial(answer_with, 200, b"\xff\xfe" + ROW),
    "what was not compressed": partial(answer_with, 200, ROW, headers={"Content-Encoding": "gzip"}),
    "half of it": partial(answer_with, 200, ROW, headers={"Content-Length": "4000"}),
    "without end": partial(answer_with, 200, ROW + b"\r\n" * LONGEST),
    "another protocol": partial(say, b"SSH-2.0-OpenSSH_9.6\r\n"),
    "broken headers": partial(say, b"HTTP/1.1 200 OK\r\n no: header\r\n:\r\n\r\n"),
    "a closed door": partial(say, b""),
}


@pytest.mark.parametrize("misbehave", NONSENSE.values(), ids=NONSENSE.keys())
def test_where_the_answer_is_none_common_ones_alone_are_refused(
    service: PwnedPasswords, misbehave: Any, caplog: pytest.LogCaptureFixture
) -> None:
    service.misbehave = misbehave
    judge_without_an_answer(caplog)
    assert [each.split()[1] for each in service.asked] == [
        RANGE + digest_of(BREACHED)[:CHARACTERS_TOLD]
    ]


def judge_without_an_answer(caplog: pytest.LogCaptureFixture) -> None:
    """The breached one is taken, a common one is not, and the log says so and no more."""
    with caplog.at_level("DEBUG"):
        validate_password(BREACHED)
        with pytest.raises(ValidationError):
            validate_password(COMMON)
    (record,) = caplog.records
    assert (record.levelname, record.name) == ("WARNING", "accounts.passwords")
    assert "did not say whether a password was breached: " in caplog.text
    assert BREACHED not in caplog.text
    assert digest_of(BREACHED)[:CHARACTERS_TOLD] not in caplog.text.upper()
    assert digest_of(BREACHED)[CHARACTERS_TOLD:] not in caplog.text.upper()
    assert record.exc_info is None


def keep_silent(service: PwnedPasswords, request: BaseHTTPRequestHandler) -> None:
    service.over.wait()


def answer_in_drops(service: PwnedPasswords, request: BaseHTTPRequestHandler) -> None:
    """Each comes in time, and the last one too late. Whoever waits for it refuses the password."""
    with suppress(OSError):
        request.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        for byte in ROW:
            service.over.wait(0.1)
            request.wfile.write(bytes([byte]))


@pytest.mark.parametrize("misbehave", [keep_silent, answer_in_drops])
def test_one_that_takes_its_time_is_not_waited_for(
    service: PwnedPasswords, settings: Settings, misbehave: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.AUTH_PASSWORD_VALIDATORS = service.validators(seconds=0.3)
    service.misbehave = partial(misbehave, service)
    judge_without_an_answer(caplog)


def test_one_that_is_not_there_is_done_without(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with PwnedPasswords() as service:
        settings.AUTH_PASSWORD_VALIDATORS = service.validators()
    judge_without_an_answer(caplog)


def test_the_log_of_a_question_that_was_answered_says_nothing(
    service: PwnedPasswords, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"):
        validate_password("a long one of one's own")
    assert len(service.asked) == 1
    assert caplog.records == []


class Witness:
    """A validator that keeps whether a transaction waits for it meanwhile."""

    seen: list[bool] = []

    def validate(self, password: str, user: User | None = None) -> None:
        self.seen.append(connection.in_atomic_block)

    def get_help_text(self) -> str:
        return ""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("choose", WAYS)
def test_no_transaction_waits_for_the_answer(cast: Cast, settings: Settings, choose: Way) -> None:
    settings.AUTH_PASSWORD_VALIDATORS = [{"NAME": f"{__name__}.Witness"}]
    Witness.seen.clear()
    choose(cast, "a long one of one's own")
    assert Witness.seen == [False]


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_createsuperuser_asks_for_another(
    service: PwnedPasswords, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who types a breached one there may insist; it is not our command."""
    good = "a long one of one's own"
    typed = iter([BREACHED, BREACHED, good, good])
    monkeypatch.setattr("getpass.getpass", lambda *prompt: next(typed))
    monkeypatch.setattr("builtins.input", lambda prompt: "n")
    said = StringIO()
    call_command(
        "createsuperuser", email="root@example.com", stdin=Terminal(), stdout=said, stderr=said
    )
    assert REFUSED in said.getvalue()
    assert User.objects.get().check_password(good)


def test_forms_say_so_beforehand(service: PwnedPasswords, db: None) -> None:
    page = Client().get(reverse("account_signup")).content.decode()
    assert page.count("<li>Your password cannot be a common one, or one that appeared") == 1
    assert "commonly used" not in page


@pytest.mark.process
@pytest.mark.parametrize(
    ("said", "are_asked"),
    [
        ({"DEBUG": "false"}, True),
        ({"DEBUG": "true"}, False),
        ({"DEBUG": "false", "BREACHED_PASSWORDS": "false"}, False),
        ({"DEBUG": "true", "BREACHED_PASSWORDS": "true"}, True),
    ],
    ids=json.dumps,
)
def test_production_asks_over_https_unless_it_is_told_not_to(
    said: dict[str, str], are_asked: bool
) -> None:
    """Seen by the proxy that such a process is given, which lets nothing out."""
    clean = {name: value for name, value in os.environ.items() if name != "BREACHED_PASSWORDS"}
    with PwnedPasswords() as proxy:
        env = {"HTTPS_PROXY": proxy.address, "DJANGO_SETTINGS_MODULE": "config.settings"}
        subprocess.run(
            [sys.executable, "-c", SCRIPT], cwd=BASE_DIR, env=clean | env | said, check=True
        )
    hosts = [line.rpartition(" ")[0] for line in proxy.asked]
    assert hosts == ["CONNECT api.pwnedpasswords.com:443"] * are_asked


def test_it_is_waited_for_a_second() -> None:
    assert BreachedPasswordValidator().seconds == 1
