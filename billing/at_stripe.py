"""Where an object of Stripe's is looked at: in its dashboard, or in its stand-in."""

from __future__ import annotations

from django.conf import settings


def pages() -> str:
    """Return the address of such pages, with a place for `kind`, which is what Stripe calls such
    objects (customers, subscriptions), and one for `id`."""
    if host := getattr(settings, "STRIPE_API_HOST", None):
        return f"{host}/objects/{{id}}"
    test = "" if settings.STRIPE_LIVE_MODE else "test/"
    return f"https://dashboard.stripe.com/{test}{{kind}}/{{id}}"


def page_of(kind: str, id: str) -> str:
    return pages().format(kind=kind, id=id)
