"""Whoever reads the database reads no seed of a second factor, and the key can be replaced."""

from __future__ import annotations

import json
import re
import string
from functools import partial
from io import StringIO

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from accounts import seeds
from accounts.encryption import Unreadable, decrypt, encrypt, is_current
from accounts.models import User
from config.processes import BASE_DIR
from tests.cast import PASSWORD, Cast
from tests.rotation import Rotate, end_of_former, successor_of
from tests.second_factor import log_in, one_time_code, set_up_second_factor
from tests.security.browsers import is_in
from tests.together import together

KEYS = BASE_DIR / "docs/keys.md"
BASE64 = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"


@pytest.fixture
def rotate(settings: Settings) -> Rotate:
    """Another key encrypts, and what the former encrypted can still be read."""
    return successor_of("ENCRYPTION_KEY", settings)


@pytest.fixture
def forget(settings: Settings) -> Rotate:
    """The former key is gone."""
    return end_of_former("ENCRYPTION_KEY", settings)


def encrypt_secrets() -> str:
    out = StringIO()
    call_command("encrypt_secrets", stdout=out)
    return out.getvalue()


def recovery_codes_of(person: User) -> list[str]:
    codes: list[str] = RecoveryCodes.activate(person).get_unused_codes()
    return codes


def enter(person: User, code: str) -> Client:
    client = Client()
    client.post(reverse("account_login"), {"login": person.email, "password": PASSWORD})
    client.post(reverse("mfa_authenticate"), {"code": code})
    return client


def make_readable(row: Authenticator) -> None:
    """As it was stored before there was a key."""
    name = seeds.SEEDS[Authenticator.Type(row.type)]
    row.data[name] = decrypt(row.data[name])
    row.save()


@given(st.text(), st.text())
def test_what_is_encrypted_is_read_again_and_told_by_nothing(secret: str, other: str) -> None:
    stored = encrypt(secret)
    assert decrypt(stored) == secret
    assert is_current(stored)
    assert len(secret) < 8 or secret not in stored
    assert encrypt(secret) != stored
    assert (decrypt(encrypt(other)) == secret) is (other == secret)


@given(st.integers(min_value=0), st.integers(1, 63))
def test_what_was_changed_on_the_way_is_not_read(place: int, by: int) -> None:
    stored = encrypt("a secret")
    # Not the last ones: some bits of what stands before "=" say nothing.
    at = len("fernet:") + place % (len(stored.rstrip("=")) - len("fernet:") - 1)
    other = BASE64[(BASE64.index(stored[at]) + by) % len(BASE64)]
    with pytest.raises(Unreadable):
        decrypt(f"{stored[:at]}{other}{stored[at + 1 :]}")


def test_a_secret_of_stripes_fits_into_its_column() -> None:
    assert len(encrypt("x" * 47)) == 147


@pytest.mark.django_db
def test_what_is_set_up_on_the_pages_cannot_be_read_in_the_database(cast: Cast) -> None:
    client = log_in(cast.bob)
    page = reverse("mfa_activate_totp")
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD, "next": page})
    secret = client.get(page).context["form"].secret
    client.post(page, {"code": one_time_code(secret)})
    shown = client.get(reverse("mfa_view_recovery_codes")).content.decode()
    codes = recovery_codes_of(cast.bob)
    assert codes[0] in shown
    rows = json.dumps(list(Authenticator.objects.values_list("data", flat=True)))
    seed = decrypt(Authenticator.objects.get(type="recovery_codes").data["seed"])
    assert len(seed) == 80
    for told in (secret, seed, *codes):
        assert told not in rows
    assert is_in(enter(cast.bob, one_time_code(secret)))
    assert is_in(enter(cast.bob, codes[0]))


@pytest.mark.django_db
def test_another_key_and_second_factors_stay_as_they_are(
    cast: Cast, rotate: Rotate, forget: Rotate
) -> None:
    secret, codes = set_up_second_factor(cast.bob), recovery_codes_of(cast.bob)
    assert is_in(enter(cast.bob, codes[0]))
    rotate()
    assert is_in(enter(cast.bob, codes[1]))
    assert encrypt_secrets() == "2 secrets encrypted with the present key.\n"
    assert encrypt_secrets() == "0 secrets encrypted with the present key.\n"
    forget()
    assert is_in(enter(cast.bob, one_time_code(secret)))
    assert is_in(enter(cast.bob, codes[2]))
    for used in codes[:3]:
        assert not is_in(enter(cast.bob, used))


@pytest.mark.django_db
def test_what_was_stored_readable_still_counts_until_it_is_encrypted(cast: Cast) -> None:
    secret, codes = set_up_second_factor(cast.bob), recovery_codes_of(cast.bob)
    for row in Authenticator.objects.all():
        make_readable(row)
    assert secret in json.dumps(list(Authenticator.objects.values_list("data", flat=True)))
    assert is_in(enter(cast.bob, codes[0]))
    encrypt_secrets()
    assert secret not in json.dumps(list(Authenticator.objects.values_list("data", flat=True)))
    assert is_in(enter(cast.bob, one_time_code(secret)))
    assert not is_in(enter(cast.bob, codes[0]))


@pytest.mark.django_db
def test_what_no_key_opens_is_named_and_left_and_the_rest_is_encrypted(
    cast: Cast, rotate: Rotate, forget: Rotate, settings: Settings
) -> None:
    former = settings.ENCRYPTION_KEY
    secret = set_up_second_factor(cast.bob)
    lost = Authenticator.objects.get()
    rotate()
    forget()
    set_up_second_factor(cast.alice)
    other = Authenticator.objects.get(user=cast.alice)
    make_readable(other)
    with pytest.raises(CommandError) as told:
        encrypt_secrets()
    assert f"Not read: second factor {lost.pk}." in str(told.value)
    assert "ENCRYPTION_KEY_FALLBACKS" in str(told.value)
    other.refresh_from_db()
    assert is_current(other.data["secret"])
    with pytest.raises(Unreadable):
        enter(cast.bob, one_time_code(secret))
    settings.ENCRYPTION_KEY_FALLBACKS = [former]
    assert is_in(enter(cast.bob, one_time_code(secret)))


@pytest.mark.django_db
def test_after_the_key_was_lost_people_come_in_and_set_up_another(
    cast: Cast, rotate: Rotate, forget: Rotate
) -> None:
    """By the command of docs/keys.md."""
    set_up_second_factor(cast.bob)
    recovery_codes_of(cast.bob)
    rotate()
    forget()
    (code,) = re.findall(r'^manage.py shell -c "(.*)"$', KEYS.read_text(), re.MULTILINE)
    call_command("shell", "--no-imports", command=code)
    assert is_in(log_in(cast.bob))
    assert encrypt_secrets() == "0 secrets encrypted with the present key.\n"


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_code_that_is_used_meanwhile_stays_used(cast: Cast, rotate: Rotate) -> None:
    """Or the seed that is written back would forget it."""
    set_up_second_factor(cast.bob)
    codes = recovery_codes_of(cast.bob)
    row = Authenticator.objects.get(type="recovery_codes")
    for code in codes:
        make_readable(Authenticator.objects.get(pk=row.pk))
        theirs = RecoveryCodes(Authenticator.objects.get(pk=row.pk))
        used, _ = together(partial(theirs.validate_code, code), partial(seeds.encrypt_seed, row.pk))
        row.refresh_from_db()
        assert used is True
        assert code not in RecoveryCodes(row).get_unused_codes()
        assert is_current(row.data["seed"])
