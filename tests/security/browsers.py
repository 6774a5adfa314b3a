"""Browsers, and the keys of their sessions that somebody else may know."""

from __future__ import annotations

from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests.cast import PASSWORD, signed_in


def key_of(client: Client) -> str:
    """The key of its session, which whoever knows it is taken for the same browser by."""
    return str(client.cookies[settings.SESSION_COOKIE_NAME].value)


def with_key(key: str) -> Client:
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = key
    return client


def with_planted_session() -> tuple[Client, str]:
    """A browser that somebody gave a session of theirs, whose key they know."""
    session = SessionStore()
    session["theirs"] = True
    session.save()
    key = str(session.session_key)
    return with_key(key), key


def is_in(client: Client) -> bool:
    return client.get(reverse("accounts:account")).status_code == 200


def proven(person: User) -> Client:
    """Signed in, and has just repeated the password."""
    client = signed_in(person)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    return client
