"""A session ends two weeks after it was last written, however much is looked at meanwhile."""

from __future__ import annotations

from datetime import timedelta

import time_machine
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.cast import PASSWORD, Cast
from tests.security.browsers import is_in


def test_looking_does_not_prolong_it(cast: Cast) -> None:
    now, client = timezone.now(), Client()
    client.post(reverse("account_login"), {"login": cast.bob.email, "password": PASSWORD})
    for day in range(1, 14):
        with time_machine.travel(now + timedelta(days=day)):
            assert is_in(client)
    with time_machine.travel(now + timedelta(seconds=settings.SESSION_COOKIE_AGE + 60)):
        assert not is_in(client)
