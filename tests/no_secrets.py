"""After each test, whatever it wrote into the log is searched for secrets.

Together the tests write every line that the product can write, so nothing is left unsearched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection
from djstripe.models import WebhookEndpoint

from accounts.encryption import decrypt
from accounts.models import User, UserEventLog
from tests.cast import PASSWORD

# Keys of Stripe's, secrets of its endpoints, and what Django signs.
LOOKS_SECRET = re.compile(r"\b[sr]k_(?:test|live)_|\bwhsec_|[\w-]+:[\w-]{6}:[\w-]{27,43}\b")
SHORTEST = 8


def secrets_in_the_log() -> list[str]:
    """Return the secrets that some line of the log holds."""
    if connection.needs_rollback:
        return []
    lines = UserEventLog.objects.values_list("event", "data", "device", "request_id", "ip_address")
    written = "\n".join(map(str, lines))
    if not written:
        return []
    found = [secret for secret in set(_secrets()) if secret in written]
    return found + LOOKS_SECRET.findall(written)


def _secrets() -> Iterator[str]:
    yield from (settings.SECRET_KEY, settings.ENCRYPTION_KEY)
    yield PASSWORD
    yield from Session.objects.values_list("session_key", flat=True)
    yield from (hashed for hashed in User.objects.values_list("password", flat=True) if hashed)
    for key in WebhookEndpoint.objects.values_list("secret", flat=True):
        if key:
            yield from (key, decrypt(key))
    for data in Authenticator.objects.values_list("data", flat=True):
        yield from _texts(data)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, str) and len(value) >= SHORTEST:
        yield from (value, decrypt(value))
