"""What a person logs in with besides the password, and who must have such a thing."""

from __future__ import annotations

from dataclasses import dataclass

from allauth.mfa.models import Authenticator
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


def is_kept_from_the_admin(person: User) -> bool:
    """Whether this is one of our staff who must set up a second factor before the admin opens.

    It reads what was loaded with the person, and makes no statement, as the next one.
    """
    is_needed = settings.SECOND_FACTOR_NEEDED_BY in {"staff", "everybody"}
    return is_needed and person.is_staff and not person.has_second_factor


def is_kept_from_everything(person: User) -> bool:
    """Whether this person must set up a second factor before anything opens."""
    return settings.SECOND_FACTOR_NEEDED_BY == "everybody" and not person.has_second_factor
