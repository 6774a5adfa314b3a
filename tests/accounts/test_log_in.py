"""Log-in, log-out and password reset, and who is stopped at the door."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User, UserEventLog
from tests.cast import PASSWORD, Cast, lock
from tests.second_factor import one_time_code, set_up_second_factor

LOCK_WORDS = "Your organization is past due. Contact Alice Adams to resolve billing."


def log_in(email: str, password: str = PASSWORD) -> Client:
    client = Client()
    client.post(reverse("account_login"), {"login": email, "password": password})
    return client


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_people_log_in_whatever_the_case_of_their_address(cast: Cast) -> None:
    assert is_in(log_in("ALICE@example.com"))


def test_a_wrong_password_lets_nobody_in(cast: Cast) -> None:
    assert not is_in(log_in("alice@example.com", "wrong"))


DELETED = {"is_active": False, "deleted_at": timezone.now()}


@pytest.mark.parametrize("fields", [{"is_active": False}, DELETED])
def test_deactivated_and_deleted_people_cannot_log_in(
    cast: Cast, fields: dict[str, object]
) -> None:
    User.objects.filter(pk=cast.bob.pk).update(**fields)
    assert not is_in(log_in("bob@example.com"))


@pytest.mark.parametrize("fields", [{"is_active": False}, DELETED])
def test_an_open_session_ends_with_the_person(cast: Cast, fields: dict[str, object]) -> None:
    client = log_in("bob@example.com")
    User.objects.filter(pk=cast.bob.pk).update(**fields)
    assert client.get(reverse("orgs:team")).status_code == 302


def test_logging_out_ends_the_session(cast: Cast) -> None:
    client = log_in("alice@example.com")
    client.post(reverse("account_logout"))
    assert not is_in(client)


def test_a_forgotten_password_is_reset_by_mail(cast: Cast) -> None:
    client = Client()
    client.post(reverse("account_reset_password"), {"email": "Bob@example.com"})
    link = re.search(r"http://testserver(/\S+)", str(mail.outbox[-1].body))
    assert link is not None
    form = client.get(link.group(1), follow=True)
    action = form.redirect_chain[-1][0]
    client.post(action, {"password1": "another good one", "password2": "another good one"})
    assert is_in(log_in("bob@example.com", "another good one"))
    assert not is_in(log_in("bob@example.com"))


def test_a_member_of_a_locked_organization_is_refused_on_the_friendly_screen(cast: Cast) -> None:
    lock(cast.acme)
    client = Client()
    answer = client.post(
        reverse("account_login"), {"login": "bob@example.com", "password": PASSWORD}
    )
    assert answer.status_code == 403
    assert LOCK_WORDS in answer.content.decode()
    assert not is_in(client)
    line = UserEventLog.objects.get(event="login_blocked")
    assert (line.user, line.organization, line.data) == (
        cast.bob,
        cast.acme,
        {"reason": "organization_locked"},
    )


def test_without_the_password_nobody_learns_of_the_lock(cast: Cast) -> None:
    lock(cast.acme)
    form = {"login": "bob@example.com", "password": "wrong"}
    answer = Client().post(reverse("account_login"), form)
    assert answer.status_code == 200
    assert "past due" not in answer.content.decode()


def test_with_a_second_factor_the_lock_is_learned_of_only_after_it(cast: Cast) -> None:
    secret = set_up_second_factor(cast.bob)
    lock(cast.acme)
    client = Client()
    form = {"login": "bob@example.com", "password": PASSWORD}
    asked = client.post(reverse("account_login"), form, follow=True)
    assert asked.status_code == 200
    assert "past due" not in asked.content.decode()
    answer = client.post(reverse("mfa_authenticate"), {"code": one_time_code(secret)})
    assert answer.status_code == 403
    assert LOCK_WORDS in answer.content.decode()
    assert not is_in(client)


@pytest.mark.parametrize("later", [0, 15, 29, 31, 61])
def test_a_code_of_the_app_counts_once(cast: Cast, settings: Settings, later: int) -> None:
    settings.MFA_TOTP_TOLERANCE = 0
    secret = set_up_second_factor(cast.bob)
    with time_machine.travel(1_800_000_000, tick=False) as clock:
        code = one_time_code(secret)
        clients = [log_in("bob@example.com"), log_in("bob@example.com")]
        clients[0].post(reverse("mfa_authenticate"), {"code": code})
        clock.shift(later)
        answer = clients[1].post(reverse("mfa_authenticate"), {"code": code})
    assert is_in(clients[0])
    assert not is_in(clients[1])
    assert "Incorrect code" in answer.content.decode()


@pytest.mark.parametrize(("later", "counts"), [(-1, False), (0, True), (29, True), (30, False)])
def test_a_code_of_the_app_counts_for_its_30_seconds(
    cast: Cast, settings: Settings, later: int, counts: bool
) -> None:
    settings.MFA_TOTP_TOLERANCE = 0
    secret = set_up_second_factor(cast.bob)
    with time_machine.travel(1_800_000_000, tick=False) as clock:
        code = one_time_code(secret)
        clock.shift(later)
        client = log_in("bob@example.com")
        client.post(reverse("mfa_authenticate"), {"code": code})
    assert is_in(client) == counts


def test_the_owner_of_a_locked_organization_and_developers_get_in(cast: Cast) -> None:
    lock(cast.acme)
    assert is_in(log_in("alice@example.com"))
    assert is_in(log_in("dana@example.com"))


def test_a_member_gets_in_until_the_lock_begins(cast: Cast) -> None:
    lock(cast.acme, timezone.now() + timedelta(hours=1))
    assert is_in(log_in("bob@example.com"))


def test_a_member_of_a_closed_organization_reads_its_own_words(cast: Cast) -> None:
    cast.acme.closed_at = timezone.now()
    cast.acme.save(update_fields=["closed_at"])
    answer = Client().post(
        reverse("account_login"), {"login": "bob@example.com", "password": PASSWORD}
    )
    assert answer.status_code == 403
    assert "was closed. Contact Alice Adams to reopen it." in answer.content.decode()


def test_the_admin_uses_the_same_log_in(cast: Cast) -> None:
    answer = Client().get(reverse("admin:index"), follow=True)
    assert answer.redirect_chain[-1][0].startswith(reverse("account_login"))
    assert log_in("dana@example.com").get(reverse("admin:index")).status_code == 200


def test_a_member_who_opens_the_admin_is_told_so(cast: Cast) -> None:
    answer = log_in("alice@example.com").get(reverse("admin:index"), follow=True)
    assert answer.status_code == 403
