"""The ways in which people choose a password, each as the request that does it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from orgs import emails, services
from tests.cast import PASSWORD, Cast, signed_in

NEW = "eve@example.com"


def join(cast: Cast, password: str) -> Any:
    offer = services.invite(organization=cast.acme, email=NEW, by=cast.alice, now=timezone.now())
    page = reverse("orgs:invitation", args=[emails.invitation_token(offer)])
    return Client().post(page, {"name": "Eve", "password": password})


def sign_up(cast: Cast, password: str) -> Any:
    form = {"name": "Eve", "organization_name": "Eves", "email": NEW}
    return Client().post(reverse("account_signup"), form | {"password1": password})


def change(cast: Cast, password: str) -> Any:
    form = {"oldpassword": PASSWORD, "password1": password, "password2": password}
    return signed_in(cast.bob).post(reverse("account_change_password"), form)


def reset(cast: Cast, password: str) -> Any:
    client = Client()
    client.post(reverse("account_reset_password"), {"email": cast.bob.email})
    link = str(mail.outbox[-1].body).split("http://testserver")[1].split()[0]
    form = client.get(link, follow=True).redirect_chain[-1][0]
    return client.post(form, {"password1": password, "password2": password})


Way = Callable[[Cast, str], Any]
FOR_NEW_PEOPLE: list[Way] = [join, sign_up]
FOR_BOB: list[Way] = [change, reset]
WAYS = FOR_NEW_PEOPLE + FOR_BOB


def whose(way: Way) -> User | None:
    """The person who has chosen a password by this way, if there is one."""
    email = NEW if way in FOR_NEW_PEOPLE else "bob@example.com"
    return User.objects.filter(email=email).first()
