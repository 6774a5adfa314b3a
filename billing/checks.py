"""What `manage.py check` says of Stripe's settings, and, with `--database`, of its endpoint."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import DatabaseError
from djstripe.models import WebhookEndpoint

Apps = Sequence[AppConfig] | None


@register("stripe")
def modes_agree(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """Report a key of one mode beside a setting that is of the other."""
    key = str(settings.STRIPE_SECRET_KEY)
    is_live_key = key.startswith(("sk_live_", "rk_live_"))
    found: list[CheckMessage] = []
    if key and is_live_key != settings.STRIPE_LIVE_MODE:
        mode, key_mode = ("live", "test") if settings.STRIPE_LIVE_MODE else ("test", "live")
        found.append(
            Error(
                f"STRIPE_SECRET_KEY is a {key_mode} key, and STRIPE_LIVE_MODE says {mode} mode.",
                hint=f"Set the {mode} key, or leave STRIPE_LIVE_MODE out: the key tells its mode.",
                id="billing.E001",
            )
        )
    if is_live_key and settings.STRIPE_TEST_CLOCK:
        found.append(
            Error(
                "STRIPE_TEST_CLOCK is set beside a live key: no customer can be made.",
                hint="Leave STRIPE_TEST_CLOCK empty in production.",
                id="billing.E002",
            )
        )
    return found


@register(Tags.security, deploy=True)
def key_is_set(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """Report a product that nobody can pay for."""
    if settings.STRIPE_SECRET_KEY:
        return []
    return [
        Warning(
            "STRIPE_SECRET_KEY is not set: nobody can subscribe.",
            hint="Set it to sk_live_… or rk_live_…, then run `manage.py stripe_setup`.",
            id="billing.W001",
        )
    ]


@register(Tags.database)
def endpoint_is_usable(
    app_configs: Apps, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Report what keeps Stripe's events from being understood, in each database asked about."""
    return [
        message
        for alias in databases or []
        if settings.STRIPE_SECRET_KEY
        for message in _of_endpoints(alias)
    ]


def _of_endpoints(alias: str) -> Iterator[CheckMessage]:
    rows = WebhookEndpoint.objects.using(alias).filter(livemode=settings.STRIPE_LIVE_MODE)
    try:
        endpoints = list(rows.exclude(status="disabled"))
    except DatabaseError:
        # Not migrated yet, which `migrate` itself may ask about.
        return
    if not endpoints:
        yield Warning(
            "There is no webhook endpoint: what happens at Stripe is seen by `sync_billing` alone.",
            hint="Run `manage.py stripe_setup`.",
            id="billing.W002",
        )
    for endpoint in endpoints:
        if not endpoint.secret:
            yield Error(
                f"The webhook endpoint {endpoint.id} has no secret: its events are refused.",
                hint="Run `manage.py stripe_setup`, which makes one whose secret is known.",
                id="billing.E003",
            )
        if endpoint.api_version != settings.STRIPE_API_VERSION:
            yield Error(
                f"The webhook endpoint {endpoint.id} is of Stripe's API version "
                f"{endpoint.api_version or 'unknown'}, and this code of "
                f"{settings.STRIPE_API_VERSION}.",
                hint="Run `manage.py stripe_setup`, which makes one of the right version.",
                id="billing.E004",
            )
