"""Passkeys: alone, after the password, and where it is asked again who somebody is.

tests/browser/test_passkeys.py does the same with a real browser.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User, UserEventLog
from tests.cast import PASSWORD, Cast, lock
from tests.passkeys import Device, new_client
from tests.second_factor import one_time_code, set_up_second_factor

LOCK_WORDS = "Your organization is past due. Contact Alice Adams to resolve billing."


def with_password(email: str = "bob@example.com") -> Client:
    client = new_client()
    client.post(reverse("account_login"), {"login": email, "password": PASSWORD})
    return client


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


@pytest.fixture
def phone(cast: Cast) -> Device:
    """Bob's."""
    device = Device()
    device.register(with_password())
    mail.outbox.clear()
    return device


def test_a_passkey_is_added_named_and_comes_with_recovery_codes(cast: Cast) -> None:
    client = with_password()
    answer = Device().register(client, "Bob's phone")
    assert answer.redirect_chain[-1][0] == reverse("mfa_view_recovery_codes")
    assert "The passkey is added." in answer.content.decode()
    assert mail.outbox[-1].to == ["bob@example.com"]
    assert "A passkey was added" in mail.outbox[-1].body
    page = client.get(reverse("mfa_list_webauthn")).content.decode()
    assert "Bob&#x27;s phone" in page
    assert "Logs in alone" in page
    assert "1 passkey" in client.get(reverse("accounts:account")).content.decode()


def test_a_passkey_needs_proof_of_who_adds_it(cast: Cast) -> None:
    answer = with_password().get(reverse("mfa_add_webauthn"))
    assert answer.headers["Location"].startswith(reverse("account_reauthenticate"))


def test_a_passkey_alone_logs_in(phone: Device) -> None:
    client = new_client()
    answer = phone.log_in(client)
    assert answer.redirect_chain[-1][0] == reverse("home")
    assert is_in(client)


def test_a_passkey_log_in_leads_to_where_one_was_going(phone: Device) -> None:
    answer = phone.log_in(new_client(), next=reverse("orgs:team"))
    assert answer.redirect_chain[-1][0] == reverse("orgs:team")
    answer = phone.log_in(new_client(), next="https://evil.example.com/")
    assert answer.redirect_chain[-1][0] == reverse("home")


def test_after_the_password_a_passkey_is_asked_for(phone: Device) -> None:
    client = with_password()
    assert not is_in(client)
    phone.authenticate(client)
    assert is_in(client)


def test_somebody_elses_passkey_does_not_stand_in(phone: Device, cast: Cast) -> None:
    alices = Device()
    alices.register(with_password("alice@example.com"))
    client = with_password()
    answer = alices.authenticate(client)
    assert "Incorrect code" in answer.content.decode()
    assert not is_in(client)


def test_an_unknown_passkey_does_not_log_in(phone: Device, cast: Cast) -> None:
    phone_unknown_here = Device()
    phone_unknown_here._user = phone._user
    client = new_client()
    answer = phone_unknown_here.log_in(client)
    assert answer.redirect_chain[-1][0] == reverse("account_login")
    assert not is_in(client)


def test_a_key_without_fingerprint_or_pin_is_no_way_in_alone(cast: Cast) -> None:
    key = Device(verifies=False)
    key.register(with_password(), "Key", alone=False)
    client = new_client()
    key.log_in(client)
    assert not is_in(client)
    client = with_password()
    key.authenticate(client)
    assert is_in(client)


def test_a_passkey_proves_again_who_it_is(phone: Device) -> None:
    client = new_client()
    phone.log_in(client)
    page = reverse("mfa_add_webauthn")
    assert client.get(page).status_code == 302
    phone.authenticate(client, "mfa_reauthenticate_webauthn", next=page)
    assert client.get(page).status_code == 200


def test_a_passkey_is_renamed_and_removed(phone: Device) -> None:
    client = new_client()
    phone.log_in(client)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    key = Authenticator.objects.get(type=Authenticator.Type.WEBAUTHN)
    client.post(reverse("mfa_edit_webauthn", args=[key.pk]), {"name": "Old phone"})
    assert "Old phone" in client.get(reverse("mfa_list_webauthn")).content.decode()
    question = client.get(reverse("mfa_remove_webauthn", args=[key.pk])).content.decode()
    assert "Remove Old phone?" in question
    client.post(reverse("mfa_remove_webauthn", args=[key.pk]))
    # The codes that came with it are gone as well: there is nothing that they stand in for.
    assert not Authenticator.objects.exists()
    assert is_in(with_password())
    other = new_client()
    phone.log_in(other)
    assert not is_in(other)


def test_another_persons_passkey_cannot_be_renamed_or_removed(phone: Device, cast: Cast) -> None:
    key = Authenticator.objects.get(type=Authenticator.Type.WEBAUTHN)
    client = with_password("alice@example.com")
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    for page in ("mfa_edit_webauthn", "mfa_remove_webauthn"):
        assert client.post(reverse(page, args=[key.pk]), {"name": "Mine"}).status_code == 404


@pytest.mark.parametrize(
    "fields", [{"is_active": False}, {"is_active": False, "deleted_at": timezone.now()}]
)
def test_deactivated_and_deleted_people_do_not_log_in_by_passkey(
    phone: Device, cast: Cast, fields: dict[str, object]
) -> None:
    User.objects.filter(pk=cast.bob.pk).update(**fields)
    client = new_client()
    answer = phone.log_in(client)
    assert answer.redirect_chain[-1][0] == reverse("account_inactive")
    assert not is_in(client)


def test_a_member_of_a_locked_team_is_refused_on_the_friendly_screen(
    phone: Device, cast: Cast
) -> None:
    lock(cast.acme)
    client = new_client()
    answer = phone.log_in(client)
    assert answer.status_code == 403
    assert LOCK_WORDS in answer.content.decode()
    assert not is_in(client)
    assert UserEventLog.objects.get(event="login_blocked").user == cast.bob


def test_a_refused_passkey_does_not_stand_in_for_the_second_factor_later(
    phone: Device, cast: Cast
) -> None:
    lock(cast.acme)
    client = new_client()
    phone.log_in(client)
    lock(cast.acme, timezone.now() + timedelta(days=1))
    client.post(reverse("account_login"), {"login": "bob@example.com", "password": PASSWORD})
    assert not is_in(client)


def test_after_the_password_the_lock_is_learned_of_only_with_the_passkey(
    phone: Device, cast: Cast
) -> None:
    lock(cast.acme)
    client = with_password()
    assert "past due" not in client.get(reverse("mfa_authenticate")).content.decode()
    answer = phone.authenticate(client)
    assert answer.status_code == 403
    assert LOCK_WORDS in answer.content.decode()
    assert not is_in(client)


def test_the_owner_of_a_locked_team_gets_in_by_passkey(cast: Cast) -> None:
    device = Device()
    device.register(with_password("alice@example.com"))
    lock(cast.acme)
    client = new_client()
    device.log_in(client)
    assert is_in(client)


def test_a_passkey_is_staffs_second_factor(cast: Cast, settings: Settings) -> None:
    settings.SECOND_FACTOR_NEEDED_BY = "staff"
    device = Device()
    device.register(with_password("dana@example.com"))
    client = new_client()
    device.log_in(client)
    assert client.get(reverse("admin:index")).status_code == 200


def test_recovery_codes_alone_are_no_second_factor(cast: Cast, settings: Settings) -> None:
    settings.SECOND_FACTOR_NEEDED_BY = "staff"
    client = with_password("dana@example.com")
    Authenticator.objects.create(
        user=cast.dana, type=Authenticator.Type.RECOVERY_CODES, data={"seed": "x"}
    )
    assert client.get(reverse("admin:index")).status_code == 302


def test_a_recovery_code_stands_in_once(cast: Cast) -> None:
    secret = set_up_second_factor(cast.bob)
    client = with_password()
    client.post(reverse("mfa_authenticate"), {"code": one_time_code(secret)})
    proof = {"password": PASSWORD}
    client.post(reverse("account_reauthenticate"), proof)
    client.post(reverse("mfa_generate_recovery_codes"))
    code = client.get(reverse("mfa_view_recovery_codes")).context["unused_codes"][0]
    first, second = with_password(), with_password()
    first.post(reverse("mfa_authenticate"), {"code": code})
    second.post(reverse("mfa_authenticate"), {"code": code})
    assert is_in(first)
    assert not is_in(second)
    assert "9 recovery codes left" in first.get(reverse("accounts:account")).content.decode()
