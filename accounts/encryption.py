"""What has to be read again, and by nobody who only reads the database: encrypted with a key that
is not in it. docs/keys.md has what this is for, and how the key is replaced.
"""

from __future__ import annotations

import base64
from functools import lru_cache
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

# Tells it from what stands there readable: from before there was a key, or written by hand.
PREFIX: Final = "fernet:"


ADVICE: Final = (
    "A secret in the database was encrypted with another key than ENCRYPTION_KEY and "
    "ENCRYPTION_KEY_FALLBACKS. Put that key into ENCRYPTION_KEY_FALLBACKS; if it is lost, see "
    "docs/keys.md."
)


class Unreadable(Exception):
    """None of the keys that are set opens it."""


def encrypt(secret: str) -> str:
    """Return it as it is to be stored: 147 characters for a secret of up to 47."""
    return PREFIX + _keys()[0].encrypt(secret.encode()).decode()


def decrypt(stored: str) -> str:
    """Return the secret; what is not encrypted is returned as it stands. Raises Unreadable."""
    if not stored.startswith(PREFIX):
        return stored
    try:
        return MultiFernet(_keys()).decrypt(stored.removeprefix(PREFIX)).decode()
    except InvalidToken as error:
        raise Unreadable(ADVICE) from error


def is_current(stored: str) -> bool:
    """Whether it is encrypted, and with ENCRYPTION_KEY itself."""
    if not stored.startswith(PREFIX):
        return False
    try:
        _keys()[0].decrypt(stored.removeprefix(PREFIX))
    except InvalidToken:
        return False
    return True


def _keys() -> list[Fernet]:
    """The present key, then the former ones."""
    return [_key(each) for each in (settings.ENCRYPTION_KEY, *settings.ENCRYPTION_KEY_FALLBACKS)]


@lru_cache
def _key(text: str) -> Fernet:
    derived = HKDF(SHA256(), length=32, salt=None, info=b"holdfast.encryption")
    return Fernet(base64.urlsafe_b64encode(derived.derive(text.encode())))
