"""What a person logs in with besides the password, and who must have such a thing."""

from __future__ import annotations

from dataclasses import dataclass

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings

from accounts.models import User


@dataclass(frozen=True)
class SecondFactors:
    has_app: bool
    passkeys: int
    # How many are left; None: there are none, because there is no second factor.
    recovery_codes: int | None


def second_factors_of(person: User) -> SecondFactors:
    found: dict[str, list[Authenticator]] = {}
    for each in Authenticator.objects.filter(user=person):
        found.setdefault(each.type, []).append(each)
    codes = found.get(Authenticator.Type.RECOVERY_CODES)
    return SecondFactors(
        has_app=Authenticator.Type.TOTP in found,
        passkeys=len(found.get(Authenticator.Type.WEBAUTHN, [])),
        recovery_codes=len(codes[0].wrap().get_unused_codes()) if codes else None,
    )


def has_second_factor(person: User) -> bool:
    """Whether an authenticator app or a passkey protects the account."""
    enabled: bool = is_mfa_enabled(person, [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN])
    return enabled


def lacks_second_factor(person: User) -> bool:
    """Whether this is one of our staff who must set up a second factor before the admin opens."""
    return settings.STAFF_NEED_SECOND_FACTOR and person.is_staff and not has_second_factor(person)
