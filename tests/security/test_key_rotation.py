"""The secret key is replaced while people are signed in, and links of theirs are under way.

The steps: docs/keys.md.
"""

from __future__ import annotations

import re

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from accounts import exits
from accounts.models import UserEventLog
from orgs import emails, services
from tests.cast import PASSWORD, Cast, signed_in
from tests.impersonating import impersonating, who_is
from tests.passkeys import Device, new_client
from tests.rotation import Rotate, end_of_former, successor_of
from tests.second_factor import log_in, one_time_code, set_up_second_factor
from tests.security.browsers import is_in, key_of

NEW = "another good password"


@pytest.fixture
def rotate(settings: Settings) -> Rotate:
    """The first step: another key signs, and what the former signed is still taken."""
    return successor_of("SECRET_KEY", settings)


@pytest.fixture
def forget(settings: Settings) -> Rotate:
    """The second step: the former key is worth nothing."""
    return end_of_former("SECRET_KEY", settings)


def test_nobody_is_logged_out(cast: Cast, rotate: Rotate, forget: Rotate) -> None:
    bob, alice = log_in(cast.bob), log_in(cast.alice)
    rotate()
    assert is_in(bob)
    forget()
    # Whoever came by meanwhile has a session of the new key, and who did not logs in again.
    assert is_in(bob)
    assert not is_in(alice)


def test_ones_own_session_stays_on_the_list(cast: Cast, rotate: Rotate) -> None:
    bob = log_in(cast.bob)
    before = key_of(bob)
    rotate()
    shown = bob.get(reverse("usersessions_list")).context["sessions"]
    assert [each.is_current for each in shown] == [True]
    assert key_of(bob) != before


def test_looking_at_the_list_ends_no_other_browsers_session(cast: Cast, rotate: Rotate) -> None:
    here, elsewhere = log_in(cast.bob), log_in(cast.bob)
    rotate()
    here.get(reverse("usersessions_list"))
    assert is_in(here)
    assert is_in(elsewhere)


def test_logging_out_elsewhere_still_reaches_everybody(cast: Cast, rotate: Rotate) -> None:
    here, elsewhere = log_in(cast.bob), log_in(cast.bob)
    rotate()
    assert is_in(elsewhere)
    page = reverse("usersessions_list")
    here.post(page)
    here.post(reverse("account_reauthenticate"), {"password": PASSWORD, "next": page}, follow=True)
    assert is_in(here)
    assert not is_in(elsewhere)


def test_a_mail_to_reset_the_password_still_works(cast: Cast, rotate: Rotate) -> None:
    link = link_to_reset()
    rotate()
    client = Client()
    form = client.get(link, follow=True).redirect_chain[-1][0]
    client.post(form, {"password1": NEW, "password2": NEW})
    cast.bob.refresh_from_db()
    assert cast.bob.check_password(NEW)


def test_once_the_former_key_is_gone_it_does_not(
    cast: Cast, rotate: Rotate, forget: Rotate
) -> None:
    link = link_to_reset()
    rotate()
    forget()
    assert "password1" not in Client().get(link, follow=True).content.decode()


def link_to_reset() -> str:
    Client().post(reverse("account_reset_password"), {"email": "bob@example.com"})
    link = re.search(r"http://testserver(/\S+)", str(mail.outbox[-1].body))
    assert link is not None
    return link.group(1)


def test_links_that_are_under_way_still_work(cast: Cast, rotate: Rotate, forget: Rotate) -> None:
    now = timezone.now()
    offer = services.invite(organization=cast.acme, email="eve@example.com", by=cast.alice, now=now)
    pages = [reverse("orgs:invitation", args=[emails.invitation_token(offer)])]
    pages += exits.urls_of(
        cast.bob,
        "orgs:leave_from_outside",
        "orgs:delete_from_outside",
        "accounts:export_from_outside",
    )
    deletion = services.delete_own_account(user=cast.charlie, now=now)
    pages.append(reverse("orgs:come_back", args=[emails.come_back_token(deletion)]))
    rotate()
    assert [Client().get(page).status_code for page in pages] == [200] * 5
    forget()
    assert [Client().get(page).status_code for page in pages] == [404] * 5


def test_a_log_in_that_waits_for_the_second_factor_goes_on(cast: Cast, rotate: Rotate) -> None:
    secret, client = set_up_second_factor(cast.bob), Client()
    client.post(reverse("account_login"), {"login": cast.bob.email, "password": PASSWORD})
    rotate()
    client.post(reverse("mfa_authenticate"), {"code": one_time_code(secret)})
    assert is_in(client)


def test_second_factors_are_the_same(cast: Cast, rotate: Rotate, forget: Rotate) -> None:
    secret = set_up_second_factor(cast.bob)
    codes = RecoveryCodes.activate(cast.bob).generate_codes()
    device, at_home = Device(), new_client()
    at_home.force_login(cast.alice)
    device.register(at_home)
    rotate()
    forget()
    assert is_in(log_in(cast.bob, secret))
    client = Client()
    client.post(reverse("account_login"), {"login": cast.bob.email, "password": PASSWORD})
    client.post(reverse("mfa_authenticate"), {"code": codes[0]})
    assert is_in(client)
    by_passkey = new_client()
    device.log_in(by_passkey)
    assert is_in(by_passkey)


def test_an_impersonation_goes_on(cast: Cast, rotate: Rotate, forget: Rotate) -> None:
    client = impersonating(cast.dana, cast.bob)
    rotate()
    assert client.get(reverse("orgs:team")).status_code == 200
    assert who_is(client) == cast.bob.pk
    forget()
    client.get(reverse("orgs:team"))
    assert who_is(client) is None


def test_what_a_page_was_about_to_say_is_said(cast: Cast, rotate: Rotate) -> None:
    client = signed_in(cast.bob)
    client.post(reverse("accounts:rename"), {"name": "Bobby"})
    rotate()
    page = client.get(reverse("accounts:account")).content.decode()
    assert "messages" in page
    assert "Bobby" in page


def test_a_form_that_is_open_can_be_sent(cast: Cast, rotate: Rotate) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.bob)
    token = str(client.get(reverse("accounts:account")).context["csrf_token"])
    rotate()
    form = {"name": "Bobby", "csrfmiddlewaretoken": token}
    assert client.post(reverse("accounts:rename"), form).status_code == 302


def test_a_strangers_address_has_another_hash_from_then_on(cast: Cast, rotate: Rotate) -> None:
    """Whoever has the log and the former key reads nothing out of newer lines."""
    form = {"login": "nobody@example.com", "password": "wrong"}
    for step in (lambda: None, lambda: None, rotate):
        step()
        Client().post(reverse("account_login"), form)
    lines = UserEventLog.objects.filter(event="login_failed").order_by("pk")
    first, second, third = (line.data["address"] for line in lines)
    assert first == second != third
