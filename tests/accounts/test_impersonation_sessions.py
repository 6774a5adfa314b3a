"""An impersonation is a session of its own, and nobody's log-in. Two tabs share it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.signals import user_logged_in
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from tests.cast import Cast, signed_in
from tests.impersonating import (
    begin,
    lines,
    page_about,
    stop,
    who_is,
)
from tests.second_factor import prove


@pytest.fixture
def dana(cast: Cast) -> Client:
    return prove(cast.dana)


def lines_about(person: User) -> set[str]:
    return set(person.events.values_list("event", flat=True))


def test_it_is_no_log_in_of_the_person_and_no_activity(dana: Client, cast: Cast) -> None:
    signed_in(cast.bob)
    cast.bob.refresh_from_db()
    before = (cast.bob.last_login, cast.bob.last_active)
    dana_before = User.objects.get(pk=cast.dana.pk).last_login
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        begin(dana, cast.bob)
        dana.get(reverse("home"))
        dana.post(reverse("orgs:invite"), {"email": "eve@example.com"})
        stop(dana)
    cast.bob.refresh_from_db()
    assert (cast.bob.last_login, cast.bob.last_active) == before
    assert User.objects.get(pk=cast.dana.pk).last_login == dana_before
    assert not {"login", "logout"} & set(lines_about(cast.bob))


def test_a_switch_that_fails_leaves_log_ins_noted(dana: Client, cast: Cast) -> None:
    def fail(**kwargs: Any) -> None:
        raise RuntimeError

    user_logged_in.connect(fail)
    try:
        with pytest.raises(RuntimeError):
            begin(dana, cast.bob)
    finally:
        user_logged_in.disconnect(fail)
    assert not lines("impersonation_started")
    signed_in(cast.alice)
    cast.alice.refresh_from_db()
    assert cast.alice.last_login is not None


def test_others_who_log_in_meanwhile_are_noted(dana: Client, cast: Cast) -> None:
    def alice_logs_in(user: User, **kwargs: Any) -> None:
        if user == cast.bob:
            signed_in(cast.alice)

    user_logged_in.connect(alice_logs_in)
    try:
        begin(dana, cast.bob)
    finally:
        user_logged_in.disconnect(alice_logs_in)
    cast.alice.refresh_from_db()
    assert cast.alice.last_login is not None


def test_each_switch_is_a_new_session_and_the_old_one_is_dead(dana: Client, cast: Cast) -> None:
    as_dana = dana.cookies["sessionid"].value
    begin(dana, cast.bob)
    as_bob = dana.cookies["sessionid"].value
    stop(dana)
    back = dana.cookies["sessionid"].value
    assert len({as_dana, as_bob, back}) == 3
    for former in (as_dana, as_bob):
        copy = Client()
        copy.cookies["sessionid"] = former
        assert who_is(copy) is None


def test_what_dana_proved_is_not_bobs_and_not_hers_afterwards(dana: Client, cast: Cast) -> None:
    begin(dana, cast.bob)
    assert "account_authentication_methods" not in dana.session
    stop(dana)
    assert begin(dana, cast.bob)["Location"].startswith(reverse("account_reauthenticate"))


def tokens_of(client: Client, page: str) -> str:
    found: str = client.get(page).context["csrf_token"]
    return str(found)


def test_a_form_of_one_tab_does_not_count_once_another_tab_has_switched(cast: Cast) -> None:
    """Two tabs share the cookies: what was opened as one person is not sent as the other."""
    client = prove(cast.dana)
    client.handler.enforce_csrf_checks = True
    page = page_about(cast.alice)
    about_alice = {"csrfmiddlewaretoken": tokens_of(client, page)}
    bobs = {"csrfmiddlewaretoken": tokens_of(client, page_about(cast.bob))}
    assert begin(client, cast.bob, **bobs).status_code == 302
    assert begin(client, cast.alice, **about_alice).status_code == 403
    assert client.post(reverse("impersonation:stop"), about_alice).status_code == 403
    assert who_is(client) == cast.bob.pk

    as_bob = {"csrfmiddlewaretoken": tokens_of(client, reverse("home"))}
    assert client.post(reverse("impersonation:stop"), as_bob).status_code == 302
    assert client.post(reverse("account_logout"), as_bob).status_code == 403
    assert who_is(client) == cast.dana.pk


def test_stopping_again_in_another_tab_leads_home(dana: Client, cast: Cast) -> None:
    begin(dana, cast.bob)
    stop(dana)
    assert stop(dana)["Location"] == reverse("home")
    assert dana.get(reverse("impersonation:stop")).status_code == 405
    assert len(lines("impersonation_ended")) == 1
