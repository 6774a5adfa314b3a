"""Secrets in the database that are readable there, or encrypted with a former key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from accounts import seeds
from accounts.encryption import Unreadable
from billing import mirror


def encrypt_secrets() -> tuple[int, list[str]]:
    """Encrypt with the present key whatever is not: seeds of second factors, webhook secrets.

    Return how many there were, and by its name each that no key opens, which stays as it is.
    """
    done, unreadable = 0, []
    for name, encrypt_it in list(_left()):
        try:
            encrypt_it()
        except Unreadable:
            unreadable.append(name)
        else:
            done += 1
    return done, unreadable


def _left() -> Iterator[tuple[str, Callable[[], None]]]:
    for key in seeds.not_encrypted():
        yield f"second factor {key}", partial(seeds.encrypt_seed, key)
    for endpoint in mirror.endpoints_not_encrypted():
        yield f"webhook endpoint {endpoint.id}", partial(mirror.encrypt_webhook_secret, endpoint)
