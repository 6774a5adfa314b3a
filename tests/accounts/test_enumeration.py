"""Sign-up, log-in and password reset answer alike, whether an address is known or not."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from tests.cast import PASSWORD, Cast

KNOWN = "bob@example.com"
UNKNOWN = "nobody@example.com"


class CountingHasher(MD5PasswordHasher):
    """Counts the hashes that are made: with a real hasher they are what takes the time."""

    made = 0

    def encode(self, *args: Any, **kwargs: Any) -> str:
        CountingHasher.made += 1
        return super().encode(*args, **kwargs)


def post(page: str, client: Client | None = None, **form: str) -> Any:
    return (client or Client()).post(reverse(page), form, follow=True)


def log_in(email: str, client: Client | None = None) -> Any:
    return post("account_login", client, login=email, password="wrong")


def reset(email: str, client: Client | None = None) -> Any:
    return post("account_reset_password", client, email=email)


def sign_up(email: str, client: Client | None = None) -> Any:
    form = {"name": "Eve", "organization_name": "Evil", "email": email, "password1": PASSWORD}
    return post("account_signup", client, **form)


def told(answer: Any, email: str) -> tuple[Any, ...]:
    """All that can be seen of an answer, without what was typed in."""
    text = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", answer.content.decode())
    not_compared = {"Content-Length", "Expires", "X-Request-ID"}
    headers = {name: answer.headers[name] for name in {*answer.headers} - not_compared}
    return answer.status_code, answer.redirect_chain, text.replace(email, ""), headers


@pytest.mark.parametrize("ask", [log_in, reset, sign_up])
def test_a_known_address_gets_the_same_answer_as_an_unknown_one(cast: Cast, ask: Any) -> None:
    assert told(ask(KNOWN), KNOWN) == told(ask(UNKNOWN), UNKNOWN)


@pytest.mark.parametrize("ask", [log_in, reset, sign_up])
def test_both_take_as_many_hashes_and_send_as_many_mails(
    cast: Cast, settings: Settings, ask: Any
) -> None:
    settings.PASSWORD_HASHERS = [f"{__name__}.CountingHasher"]
    cast.bob.set_password(PASSWORD)
    cast.bob.save()
    costs = []
    for email in (KNOWN, UNKNOWN):
        before, sent = CountingHasher.made, len(mail.outbox)
        ask(email)
        assert all(message.to == [email] for message in mail.outbox[sent:])
        costs.append((CountingHasher.made - before, len(mail.outbox) - sent))
    assert costs[0] == costs[1]
    assert any(costs[0])


@pytest.mark.parametrize("email", [KNOWN, UNKNOWN])
def test_an_address_is_locked_after_as_many_attempts(cast: Cast, email: str) -> None:
    answers = [log_in(email).content.decode() for _ in range(6)]
    assert "not correct" in answers[4]
    assert "Too many failed login attempts" in answers[5]


@pytest.mark.parametrize("email", [KNOWN, UNKNOWN])
def test_guessing_the_code_of_a_sign_up_tells_nothing(cast: Cast, email: str) -> None:
    client = Client()
    sign_up(email, client)
    page = "account_email_verification_sent"
    assert "Incorrect code" in post(page, client, code="WRONG1").content.decode()
    assert "Incorrect code" in post(page, client, code="WRONG2").content.decode()
    last = post(page, client, code="WRONG3")
    assert last.redirect_chain == [(reverse("account_login"), 302)]


def test_asking_for_another_code_tells_nothing(cast: Cast) -> None:
    told_of = []
    for email in (KNOWN, UNKNOWN):
        client = Client()
        sign_up(email, client)
        answer = post("account_email_verification_sent", client, action="resend")
        told_of.append(told(answer, email))
    assert told_of[0] == told_of[1]


@pytest.mark.parametrize("fields", [{}, {"deleted_at": timezone.now()}])
def test_who_was_deactivated_or_deleted_is_answered_like_who_is_unknown(
    cast: Cast, fields: dict[str, Any]
) -> None:
    User.objects.filter(pk=cast.bob.pk).update(is_active=False, **fields)
    assert told(reset(KNOWN), KNOWN) == told(reset(UNKNOWN), UNKNOWN)
    bodies = [message.body.replace(message.to[0], "") for message in mail.outbox]
    assert bodies[0] == bodies[1]
    assert told(log_in(KNOWN), KNOWN) == told(log_in(UNKNOWN), UNKNOWN)
