"""What `manage.py check --deploy` says of how the parts are put together, beside Django's own.

Django reports DEBUG (security.W018), a weak secret key (W009) and plain HTTP (W004, W008, W012,
W016); dj-stripe another host than Stripe's (djstripe.W002).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.http.request import validate_host

Apps = Sequence[AppConfig] | None
# As Django asks it of SECRET_KEY.
LEAST_KEY_LENGTH: Final = 50
# Backends that bring a mail to nobody.
NOWHERE: Final = ("console", "dummy", "locmem", "filebased")


@register(Tags.security, deploy=True)
def links_lead_back(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """Report an address under which whoever follows a mail's link does not arrive safely."""
    base = urlsplit(settings.BASE_URL)
    found: list[CheckMessage] = []
    if base.scheme != "https":
        found.append(
            Error(
                f"BASE_URL is {settings.BASE_URL}: links in mails, and Stripe's events, would go "
                "over plain HTTP.",
                hint="Set BASE_URL to the address that people use: https://app.example.com",
                id="config.E001",
            )
        )
    if not validate_host(base.hostname or "", settings.ALLOWED_HOSTS):
        found.append(
            Error(
                f"{base.hostname}, the host of BASE_URL, is not in ALLOWED_HOSTS: links in mails "
                "would be answered with 400.",
                hint=f"Add {base.hostname} to ALLOWED_HOSTS.",
                id="config.E002",
            )
        )
    return found


@register(Tags.security, deploy=True)
def hosts_are_named(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """Report a site that answers to every name, also to the one in a forged request."""
    if "*" not in settings.ALLOWED_HOSTS:
        return []
    return [
        Error(
            "ALLOWED_HOSTS has *: a forged Host header would stand in the links of mails.",
            hint="Name the hosts: ALLOWED_HOSTS=app.example.com",
            id="config.E003",
        )
    ]


@register(Tags.security, deploy=True)
def secrets_are_encrypted_well(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """Report a key that is guessed, or known with another."""
    key = settings.ENCRYPTION_KEY
    if len(key) >= LEAST_KEY_LENGTH and key != settings.SECRET_KEY:
        return []
    return [
        Error(
            f"ENCRYPTION_KEY has fewer than {LEAST_KEY_LENGTH} characters, or is SECRET_KEY: who "
            "reads the database could read the seeds of second factors.",
            hint='Replace it by `python -c "import secrets; print(secrets.token_urlsafe(50))"` '
            "as docs/keys.md says.",
            id="config.E004",
        )
    ]


@register(Tags.security, deploy=True)
def mails_leave(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """Report mails that reach nobody: no one could confirm an address."""
    if settings.EMAIL_BACKEND.split(".")[-2] not in NOWHERE:
        return []
    return [
        Warning(
            f"Mails go to {settings.EMAIL_BACKEND} and reach nobody.",
            hint="Set EMAIL_URL: smtp+tls://user:password@host:587",
            id="config.W001",
        )
    ]


@register(Tags.security, deploy=True)
def visitors_are_told_apart(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """Report a proxy behind which everybody has one address, so that limits stop all at once."""
    is_behind_proxy = bool(settings.SECURE_PROXY_SSL_HEADER)
    if not is_behind_proxy or settings.TRUSTED_PROXIES or settings.CLIENT_ADDRESS_HEADER:
        return []
    return [
        Warning(
            "BEHIND_TLS_PROXY is set and TRUSTED_PROXIES is not: everybody has the proxy's "
            "address, so that a few wrong passwords shut all out.",
            hint="Set TRUSTED_PROXIES to how many proxies of yours there are, or "
            "CLIENT_ADDRESS_HEADER.",
            id="config.W002",
        )
    ]


@register(Tags.security, deploy=True)
def staff_have_two_factors(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """Report an admin that opens to a password alone."""
    if settings.SECOND_FACTOR_NEEDED_BY != "nobody":
        return []
    return [
        Warning(
            "SECOND_FACTOR_NEEDED_BY is nobody: a stolen password opens the admin.",
            hint="Leave SECOND_FACTOR_NEEDED_BY out, or set it to staff or everybody.",
            id="config.W003",
        )
    ]
