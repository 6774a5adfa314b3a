from __future__ import annotations

from typing import Any

from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests.cast import PASSWORD


def set_up_second_factor(person: User) -> str:
    """Give a person a second factor and return its secret."""
    secret: str = generate_totp_secret()
    TOTP.activate(person, secret)
    return secret


def one_time_code(secret: str) -> str:
    """Return what the person's authenticator app would show now."""
    # Of those that are taken, the one in the middle: the first is about to be taken no more.
    taken = list(yield_hotp_counters_from_time())
    counter = taken[len(taken) // 2]
    code: str = format_hotp_value(hotp_value(secret, counter))
    return code


def set_up_as_a_person(client: Client) -> Any:
    """As one does it on the pages: from the password, asked for again, to an app."""
    page = reverse("mfa_activate_totp")
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD, "next": page})
    secret = client.get(page).context["form"].secret
    return client.post(page, {"code": one_time_code(secret)}, follow=True)


def log_in(person: User, secret: str = "") -> Client:
    """Log in as people do: with the password, and with the second factor where there is one."""
    client = Client()
    client.post(reverse("account_login"), {"login": person.email, "password": PASSWORD})
    if secret:
        client.post(reverse("mfa_authenticate"), {"code": one_time_code(secret)})
    assert "_auth_user_id" in client.session
    return client


def prove(person: User) -> Client:
    """Log in with a new second factor, and prove again who it is."""
    client = log_in(person, set_up_second_factor(person))
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    return client
