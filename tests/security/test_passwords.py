"""A password is taken as it is typed, however long it is, and whatever it is made of."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from orgs import emails, services
from tests.cast import PASSWORD, Cast, signed_in

CHOSEN = {
    "with spaces around": "  a good password  ",
    "of 64 characters": "long" * 16,
    "of 300 characters": "longer" * 50,
    "of any script": "пароль 密码 🔑🔑🔑🔑",
    "of small letters": "onlysmallletters",
    "of marks": "<>&\"'%$`{{}}\\;--",
}


def join(cast: Cast, password: str) -> User:
    offer = services.invite(
        organization=cast.acme, email="eve@example.com", by=cast.alice, now=timezone.now()
    )
    page = reverse("orgs:invitation", args=[emails.invitation_token(offer)])
    Client().post(page, {"name": "Eve", "password": password})
    return User.objects.get(email="eve@example.com")


def sign_up(cast: Cast, password: str) -> User:
    form = {"name": "Eve", "organization_name": "Eves", "email": "eve@example.com"}
    Client().post(reverse("account_signup"), form | {"password1": password})
    return User.objects.get(email="eve@example.com")


def change(cast: Cast, password: str) -> User:
    form = {"oldpassword": PASSWORD, "password1": password, "password2": password}
    signed_in(cast.bob).post(reverse("account_change_password"), form)
    return User.objects.get(pk=cast.bob.pk)


def reset(cast: Cast, password: str) -> User:
    client = Client()
    client.post(reverse("account_reset_password"), {"email": "bob@example.com"})
    link = str(mail.outbox[-1].body).split("http://testserver")[1].split()[0]
    form = client.get(link, follow=True).redirect_chain[-1][0]
    client.post(form, {"password1": password, "password2": password})
    return User.objects.get(pk=cast.bob.pk)


WAYS: list[Callable[[Cast, str], User]] = [join, sign_up, change, reset]


@pytest.mark.parametrize("choose", WAYS)
@pytest.mark.parametrize("password", CHOSEN.values(), ids=CHOSEN.keys())
def test_it_is_kept_as_it_was_typed(
    cast: Cast, choose: Callable[[Cast, str], User], password: str
) -> None:
    person = choose(cast, password)
    assert person.check_password(password)
    assert not person.check_password(password.strip() + "x")
    assert password.strip() == password or not person.check_password(password.strip())


@pytest.mark.parametrize("choose", [change, reset])
@pytest.mark.parametrize(
    "password",
    [
        "short",
        "password123",
        "1234567890123",
        "bob@example.com",
        "Bob Brown 2026",
        "My-HoldFast-2026",
    ],
)
def test_what_is_easily_guessed_is_refused(
    cast: Cast, choose: Callable[[Cast, str], User], password: str
) -> None:
    person = choose(cast, password)
    assert not person.check_password(password)
    assert person.check_password(PASSWORD)
