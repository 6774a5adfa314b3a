"""The seeds of second factors in the database: of apps, and of recovery codes.

django-allauth keeps them, as `accounts.adapter.MFAAdapter` encrypts them.
"""

from __future__ import annotations

from collections.abc import Iterator

from allauth.mfa.models import Authenticator
from django.db import transaction

from accounts.encryption import decrypt, encrypt, is_current

# In `Authenticator.data`, by allauth's name for what an app has and for what codes are made of.
SEEDS = {Authenticator.Type.TOTP: "secret", Authenticator.Type.RECOVERY_CODES: "seed"}


def not_encrypted() -> Iterator[int]:
    """The keys of those that are not encrypted with the present key."""
    rows = Authenticator.objects.filter(type__in=SEEDS).order_by("pk")
    return (
        pk
        for pk, type, data in rows.values_list("pk", "type", "data").iterator()
        if not is_current(data[SEEDS[type]])
    )


def encrypt_seed(key: int) -> None:
    """Encrypt this one with the present key, if it is not. Raises Unreadable.

    It waits for whoever uses a recovery code of it, and the other way round: what is used stays
    used.
    """
    with transaction.atomic():
        row = Authenticator.objects.select_for_update().filter(pk=key).first()
        if row is None:
            return
        name = SEEDS[row.type]
        if not is_current(row.data[name]):
            row.data[name] = encrypt(decrypt(row.data[name]))
            row.save(update_fields=["data"])
