"""The admin is no second door: who guesses there meets the product's own log-in and its limits."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts.models import UserEventLog
from tests.cast import PASSWORD, Cast, signed_in
from tests.second_factor import one_time_code, set_up_second_factor

ADMIN = "/admin/"


def guess(email: str, password: str = "wrong", client: Client | None = None) -> Any:
    form = {"login": email, "password": password, "next": ADMIN}
    return (client or Client()).post(reverse("account_login"), form)


def test_the_admins_own_log_in_judges_no_password(cast: Cast) -> None:
    page = reverse("admin:login")
    told = set()
    for email in ("dana@example.com", "bob@example.com", "nobody@example.com"):
        for password in (PASSWORD, "wrong"):
            client = Client()
            answer = client.post(page, {"username": email, "password": password})
            told.add((answer.status_code, answer.headers["Location"], answer.content))
            assert "_auth_user_id" not in client.session
    assert len(told) == 1
    assert not UserEventLog.objects.filter(event__in=["login", "login_failed"]).exists()


def test_guesses_at_staff_are_limited_as_those_at_anybody(cast: Cast) -> None:
    answers = [guess("dana@example.com").content.decode() for _ in range(6)]
    assert "not correct" in answers[4]
    assert "Too many failed" in answers[5]
    right = guess("dana@example.com", PASSWORD)
    assert "Too many failed" in right.content.decode()
    lines = UserEventLog.objects.filter(event="login_failed", user=cast.dana)
    assert lines.count() == 5


@pytest.mark.parametrize("email", ["dana@example.com", "bob@example.com", "nobody@example.com"])
def test_nobody_learns_from_it_who_is_staff(cast: Cast, email: str) -> None:
    set_up_second_factor(cast.dana)
    answer = guess(email)
    page = answer.content.decode().replace(email, "")
    assert answer.status_code == 200
    assert "staff" not in page.lower()
    assert "not correct" in page


def test_the_password_of_staff_alone_opens_nothing(cast: Cast, settings: Settings) -> None:
    settings.SECOND_FACTOR_NEEDED_BY = "staff"
    secret = set_up_second_factor(cast.dana)
    client = Client()
    guess("dana@example.com", PASSWORD, client)
    assert client.get(ADMIN).status_code == 302
    for number in range(5):
        client.post(reverse("mfa_authenticate"), {"code": f"00000{number}"})
    answer = client.post(reverse("mfa_authenticate"), {"code": one_time_code(secret)})
    assert "Too many failed" in answer.content.decode()
    assert client.get(ADMIN).status_code == 302
    assert UserEventLog.objects.filter(event="second_factor_failed").count() == 5


def test_a_new_log_in_does_not_give_more_guesses_at_the_code(cast: Cast) -> None:
    set_up_second_factor(cast.dana)
    answers = []
    for number in range(6):
        client = Client()
        guess("dana@example.com", PASSWORD, client)
        answers.append(client.post(reverse("mfa_authenticate"), {"code": f"00000{number}"}))
    assert "Incorrect code" in answers[4].content.decode()
    assert "Too many failed" in answers[5].content.decode()


def test_what_weighs_much_asks_again_whoever_has_the_session(cast: Cast) -> None:
    set_up_second_factor(cast.dana)
    stolen = signed_in(cast.dana)
    for name, arguments in {
        "admin:orgs_organization_transfer": [cast.acme.pk],
        "admin:accounts_user_impersonate": [cast.bob.pk],
    }.items():
        answer = stolen.post(reverse(name, args=arguments), {"reason": "Mine."})
        assert answer.headers["Location"].startswith(reverse("account_reauthenticate")), name
