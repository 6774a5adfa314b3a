"""Whoever knew a session's key before somebody proved who they are has nothing of it afterwards."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.sessions.models import Session
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from orgs import emails, services
from tests.cast import PASSWORD, Cast
from tests.impersonating import begin, stop, who_is
from tests.passkeys import HOST, Device, new_client
from tests.second_factor import one_time_code, prove, set_up_second_factor
from tests.security.browsers import is_in, key_of, with_key, with_planted_session

NEW = "another good password"


def give_password(client: Client, person: User) -> None:
    client.post(reverse("account_login"), {"login": person.email, "password": PASSWORD})


def by_password(client: Client, cast: Cast) -> None:
    give_password(client, cast.bob)


def by_second_factor(client: Client, cast: Cast) -> None:
    secret = set_up_second_factor(cast.bob)
    give_password(client, cast.bob)
    client.post(reverse("mfa_authenticate"), {"code": one_time_code(secret)})


def by_sign_up(client: Client, cast: Cast) -> None:
    form = {"name": "Eve", "organization_name": "Eves", "email": "eve@example.com"}
    client.post(reverse("account_signup"), form | {"password1": PASSWORD})
    body = str(mail.outbox[-1].body)
    code = body.split("browser:")[1].split()[0]
    client.post(reverse("account_email_verification_sent"), {"code": code})


def by_invitation(client: Client, cast: Cast) -> None:
    offer = services.invite(
        organization=cast.acme, email="eve@example.com", by=cast.alice, now=timezone.now()
    )
    page = reverse("orgs:invitation", args=[emails.invitation_token(offer)])
    client.post(page, {"name": "Eve", "password": PASSWORD})


WAYS_IN = [by_password, by_second_factor, by_sign_up, by_invitation]


@pytest.mark.parametrize("way_in", WAYS_IN)
def test_a_session_that_was_planted_is_not_taken_over(
    cast: Cast, way_in: Callable[[Client, Cast], None]
) -> None:
    client, planted = with_planted_session()
    way_in(client, cast)
    assert is_in(client)
    assert key_of(client) != planted
    assert not is_in(with_key(planted))


def test_nor_by_a_passkey(cast: Cast) -> None:
    device, at_home = Device(), new_client()
    at_home.force_login(cast.bob)
    device.register(at_home)
    _, planted = with_planted_session()
    client = with_key(planted)
    client.defaults["SERVER_NAME"] = HOST
    device.log_in(client)
    assert is_in(client)
    assert key_of(client) != planted
    assert not is_in(with_key(planted))


def test_a_key_that_no_session_has_is_not_made_one(cast: Cast) -> None:
    made_up = "z" * 32
    client = with_key(made_up)
    by_password(client, cast)
    assert is_in(client)
    assert key_of(client) != made_up
    assert not Session.objects.filter(session_key=made_up).exists()


def test_between_password_and_second_factor_nobody_is_in(cast: Cast) -> None:
    secret = set_up_second_factor(cast.bob)
    client, _ = with_planted_session()
    give_password(client, cast.bob)
    between = key_of(client)
    assert not is_in(with_key(between))
    client.post(reverse("mfa_authenticate"), {"code": one_time_code(secret)})
    assert is_in(client)
    assert not is_in(with_key(between))


def test_another_persons_log_in_leaves_nothing_of_the_first_ones_session(cast: Cast) -> None:
    client = Client()
    give_password(client, cast.bob)
    of_bob = key_of(client)
    client.post(reverse("account_logout"))
    give_password(client, cast.alice)
    assert who_is(client) == cast.alice.pk
    assert not is_in(with_key(of_bob))


def test_the_key_changes_with_the_password_and_all_others_end(cast: Cast) -> None:
    here, elsewhere = Client(), Client()
    for client in (here, elsewhere):
        give_password(client, cast.bob)
    before = key_of(here)
    here.post(
        reverse("account_change_password"),
        {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW},
    )
    assert is_in(here)
    assert key_of(here) != before
    assert not is_in(with_key(before))
    assert not is_in(elsewhere)


def test_the_key_changes_with_each_proof_of_who_it_is(cast: Cast) -> None:
    """So that a stolen key does not come by the five minutes in which proof counts."""
    client = Client()
    give_password(client, cast.bob)
    stolen = key_of(client)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    assert is_in(client)
    assert not is_in(with_key(stolen))
    shown = client.get(reverse("usersessions_list")).context["sessions"]
    assert [each.is_current for each in shown] == [True]


def test_the_key_changes_when_an_impersonation_begins_and_ends(cast: Cast) -> None:
    client = prove(cast.dana)
    keys = [key_of(client)]
    begin(client, cast.bob)
    keys.append(key_of(client))
    assert who_is(client) == cast.bob.pk
    assert who_is(with_key(keys[0])) is None
    stop(client)
    keys.append(key_of(client))
    assert who_is(client) == cast.dana.pk
    assert who_is(with_key(keys[1])) is None
    assert len(set(keys)) == 3


def test_after_log_out_the_key_opens_nothing(cast: Cast) -> None:
    client = Client()
    give_password(client, cast.bob)
    key = key_of(client)
    client.post(reverse("account_logout"))
    assert not is_in(with_key(key))


def test_the_browser_keeps_no_page_of_whoever_is_signed_in(cast: Cast) -> None:
    client = Client()
    assert "no-store" not in client.get(reverse("home")).get("Cache-Control", "")
    give_password(client, cast.bob)
    for name in ("home", "orgs:team", "accounts:account", "billing:overview", "mfa_index"):
        assert "no-store" in client.get(reverse(name))["Cache-Control"], name
