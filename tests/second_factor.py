from __future__ import annotations

from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)

from accounts.models import User


def set_up_second_factor(person: User) -> str:
    """Give a person a second factor and return its secret."""
    secret: str = generate_totp_secret()
    TOTP.activate(person, secret)
    return secret


def one_time_code(secret: str) -> str:
    """Return what the person's authenticator app would show now."""
    counter = next(yield_hotp_counters_from_time())
    code: str = format_hotp_value(hotp_value(secret, counter))
    return code
