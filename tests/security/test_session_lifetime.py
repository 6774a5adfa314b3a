"""A session ends two weeks after it was last written, and thirty days after the log-in."""

from __future__ import annotations

from datetime import timedelta

import time_machine
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import UserEventLog
from tests.cast import PASSWORD, Cast
from tests.security.browsers import is_in, key_of, with_key


def test_looking_does_not_prolong_it(cast: Cast) -> None:
    now, client = timezone.now(), Client()
    client.post(reverse("account_login"), {"login": cast.bob.email, "password": PASSWORD})
    for day in range(1, 14):
        with time_machine.travel(now + timedelta(days=day)):
            assert is_in(client)
    with time_machine.travel(now + timedelta(seconds=settings.SESSION_COOKIE_AGE + 60)):
        assert not is_in(client)


def test_proving_again_who_it_is_prolongs_it_up_to_thirty_days(cast: Cast) -> None:
    now, client = timezone.now(), Client()
    client.post(reverse("account_login"), {"login": cast.bob.email, "password": PASSWORD})
    for day in (10, 20, 29):
        with time_machine.travel(now + timedelta(days=day)):
            client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
            assert is_in(client)
    stolen = with_key(key_of(client))
    with time_machine.travel(now + timedelta(days=30, minutes=1)):
        assert not is_in(client)
        assert not is_in(stolen)
    assert not UserEventLog.objects.filter(event="logout").exists()
