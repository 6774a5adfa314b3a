"""How often each thing can be done that guesses, mails, or has much made; then it is 429.

Log-in by password, over several processes: tests/accounts/test_rate_limits.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.models import UserEventLog
from orgs import emails, services
from orgs.models import Invitation, Organization, Tier
from tests.cast import PASSWORD, Cast, signed_in
from tests.second_factor import set_up_second_factor
from tests.security.browsers import proven

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Limit:
    """What somebody does for the `number`th time; of them `at_most` are let through."""

    name: str
    at_most: int
    begin: Callable[[Cast], Callable[[int], Any]]


def sign_up(cast: Cast) -> Callable[[int], Any]:
    def do(number: int) -> Any:
        form = {"email": f"e{number}@example.com", "name": "E", "organization_name": "Es"}
        return Client().post(reverse("account_signup"), form | {"password1": PASSWORD})

    return do


def reset_of_one(cast: Cast) -> Callable[[int], Any]:
    return lambda number: Client().post(
        reverse("account_reset_password"), {"email": "bob@example.com"}
    )


def reset_of_many(cast: Cast) -> Callable[[int], Any]:
    return lambda number: Client().post(
        reverse("account_reset_password"), {"email": f"e{number}@example.com"}
    )


def reset_by_link(cast: Cast) -> Callable[[int], Any]:
    page = reverse("account_reset_password_from_key", args=["1", "set-password"])
    form = {"password1": PASSWORD, "password2": PASSWORD}
    return lambda number: Client().post(page, form)


def passkey(cast: Cast) -> Callable[[int], Any]:
    return lambda number: Client().post(reverse("mfa_login_webauthn"), {"credential": "{}"})


def log_in(cast: Cast) -> Callable[[int], Any]:
    """With another account each time."""
    return lambda number: Client().post(
        reverse("account_login"), {"login": f"e{number}@example.com", "password": "wrong"}
    )


def change_password(cast: Cast) -> Callable[[int], Any]:
    client = signed_in(cast.bob)
    return lambda number: client.post(reverse("account_change_password"), {"oldpassword": "x"})


def change_address(cast: Cast) -> Callable[[int], Any]:
    client = proven(cast.bob)
    return lambda number: client.post(
        reverse("account_email"), {"action_add": "", "email": f"b{number}@example.com"}
    )


def come_back(cast: Cast) -> Callable[[int], Any]:
    deletion = services.delete_own_account(user=cast.bob, now=timezone.now())
    page = reverse("orgs:come_back", args=[emails.come_back_token(deletion)])
    return lambda number: Client().post(page, {"password": "wrong"})


def invite(cast: Cast) -> Callable[[int], Any]:
    client = signed_in(cast.alice)
    return lambda number: client.post(reverse("orgs:invite"), {"email": f"e{number}@example.com"})


def send_an_invitation_again(cast: Cast) -> Callable[[int], Any]:
    client = signed_in(cast.alice)
    offer = services.invite(
        organization=cast.acme, email="eve@example.com", by=cast.alice, now=timezone.now()
    )
    page = reverse("orgs:resend_invitation", args=[offer.pk])
    return lambda number: client.post(page)


def ask_for_a_transfer(cast: Cast) -> Callable[[int], Any]:
    client = signed_in(cast.alice)

    def do(number: int) -> Any:
        client.post(reverse("orgs:withdraw_transfer_request"))
        form = {"to": cast.bob.pk, "reason": f"Because, {number}."}
        return client.post(reverse("orgs:request_transfer"), form)

    return do


def found(cast: Cast) -> Callable[[int], Any]:
    client = signed_in(cast.charlie)
    return lambda number: client.post(reverse("orgs:found"), {"name": f"Team {number}"})


def export_oneself(cast: Cast) -> Callable[[int], Any]:
    client = proven(cast.bob)
    return lambda number: client.post(reverse("accounts:export"))


def export_the_organization(cast: Cast) -> Callable[[int], Any]:
    client = proven(cast.alice)
    return lambda number: client.post(reverse("orgs:export_organization"))


LIMITS = [
    Limit("sign-up, from one address", 20, sign_up),
    Limit("log-in, from one address, with ever other accounts", 10, log_in),
    Limit("a passkey alone", 10, passkey),
    Limit("a password reset of one account", 5, reset_of_one),
    Limit("password resets from one address", 20, reset_of_many),
    Limit("a new password by a link", 20, reset_by_link),
    Limit("changing one's password", 5, change_password),
    Limit("changing one's address", 10, change_address),
    Limit("coming back after one's own deletion", 10, come_back),
    Limit("inviting", 60, invite),
    Limit("sending an invitation again", 60, send_an_invitation_again),
    Limit("asking for a transfer", 10, ask_for_a_transfer),
    Limit("founding an organization", 10, found),
    Limit("a copy of what we hold about oneself", 20, export_oneself),
    Limit("a copy of what we hold of the organization", 20, export_the_organization),
]


def is_stopped(answer: Any) -> bool:
    """Whether it is the page that says so, or the form that does."""
    return answer.status_code == 429 or (
        not answer.streaming and b"Too many failed" in answer.content
    )


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.name)
def test_so_often_and_no_more(cast: Cast, limit: Limit) -> None:
    do = limit.begin(cast)
    stopped = [is_stopped(do(number)) for number in range(limit.at_most + 1)]
    assert stopped == [False] * limit.at_most + [True]


@pytest.mark.parametrize("seconds", [3500, 3700])
def test_who_invited_too_many_goes_on_after_an_hour(cast: Cast, seconds: int) -> None:
    now = timezone.now()
    with time_machine.travel(now, tick=False) as clock:
        do = invite(cast)
        for number in range(60):
            do(number)
        clock.shift(seconds)
        assert is_stopped(do(60)) is (seconds < 3600)


def test_what_was_refused_was_not_done(
    cast: Cast, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    do = invite(cast)
    with django_capture_on_commit_callbacks(execute=True):
        for number in range(61):
            do(number)
    assert Invitation.objects.filter(organization=cast.acme, email__startswith="e").count() == 60
    assert len(mail.outbox) == 60


def test_one_persons_limit_holds_up_nobody_else(cast: Cast) -> None:
    do = export_oneself(cast)
    for number in range(21):
        do(number)
    other = proven(cast.alice)
    assert other.post(reverse("accounts:export")).status_code == 200


def test_looking_is_free(cast: Cast) -> None:
    client = proven(cast.alice)
    for name in ("accounts:export", "orgs:export_organization", "orgs:request_transfer"):
        for _ in range(25):
            assert client.get(reverse(name)).status_code == 200


@pytest.mark.parametrize("page", ["account_reauthenticate", "mfa_reauthenticate"])
def test_proving_again_who_one_is_cannot_be_guessed(cast: Cast, page: str) -> None:
    """A stolen session does not become more than it is."""
    set_up_second_factor(cast.bob)
    client = signed_in(cast.bob)
    form = {"password": "wrong", "code": "000000", "next": "/account/"}
    answers = [client.post(reverse(page), form) for _ in range(6)]
    assert [is_stopped(each) for each in answers] == [False] * 5 + [True]
    # The right one neither, until the time is over.
    assert is_stopped(client.post(reverse(page), form | {"password": PASSWORD}))


def test_wrong_passwords_count_together_wherever_they_are_tried(cast: Cast) -> None:
    client = signed_in(cast.bob)
    for _ in range(3):
        client.post(reverse("account_reauthenticate"), {"password": "wrong"})
    form = {"login": "bob@example.com", "password": "wrong"}
    answers = [Client().post(reverse("account_login"), form) for _ in range(3)]
    assert [is_stopped(each) for each in answers] == [False, False, True]


def test_a_guessers_lock_does_not_stop_a_passkey_or_whoever_is_in(cast: Cast) -> None:
    """So that nobody is kept out by somebody who guesses at their account."""
    inside = signed_in(cast.bob)
    form = {"login": "bob@example.com", "password": "wrong"}
    for _ in range(8):
        Client().post(reverse("account_login"), form)
    assert inside.get(reverse("orgs:team")).status_code == 200
    assert not is_stopped(passkey(cast)(0))


def test_the_lock_is_over_after_five_minutes(cast: Cast) -> None:
    form = {"login": "bob@example.com", "password": "wrong"}
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(6):
            Client().post(reverse("account_login"), form)
        right = form | {"password": PASSWORD}
        assert is_stopped(Client().post(reverse("account_login"), right))
        clock.shift(301)
        assert Client().post(reverse("account_login"), right).status_code == 302


def test_an_export_of_the_activity_is_limited(cast: Cast) -> None:
    Organization.objects.update(tier=Tier.objects.get(key="business"))
    client = signed_in(cast.alice)
    page = reverse("orgs:export_activity")
    answers = [client.post(page) for _ in range(21)]
    assert [each.status_code for each in answers] == [200] * 20 + [429]
    assert UserEventLog.objects.filter(event="activity_exported").count() == 20
