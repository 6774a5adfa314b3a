"""The search that follows every test finds what it looks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.conf import settings
from django.core import signing
from django.db import transaction

from accounts import services
from accounts.events import Event
from accounts.models import User
from tests.cast import PASSWORD, Cast, signed_in
from tests.no_secrets import secrets_in_the_log
from tests.second_factor import set_up_second_factor

SECRETS: dict[str, Callable[[User], str]] = {
    "a password": lambda _person: PASSWORD,
    "a password's hash": lambda person: person.password,
    "the secret key": lambda _person: settings.SECRET_KEY,
    "a key of Stripe's": lambda _person: "sk_test_123",
    "a session's key": lambda person: str(signed_in(person).session.session_key),
    "a second factor's secret": set_up_second_factor,
    "a link's token": lambda person: signing.dumps({"person": person.pk}),
}


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS.keys())
def test_a_secret_in_the_log_is_found(cast: Cast, secret: Callable[[User], str]) -> None:
    assert secrets_in_the_log() == []
    with undone():
        services.record_event(Event.LOGIN, data={"careless": [f"It is {secret(cast.bob)}."]})
        assert secrets_in_the_log() != []
