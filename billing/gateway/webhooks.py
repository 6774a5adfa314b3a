"""What Stripe sends: who signed it."""

from __future__ import annotations

import stripe

from billing.gateway.client import api, translated


class BadSignature(Exception):
    """The message was not signed by Stripe with this endpoint's secret, or is too old."""


@translated
def pending_deliveries(event_id: str) -> int:
    """Return how many endpoints of the account have not taken the event so far."""
    return int(api().events.retrieve(event_id).pending_webhooks)


def verify_signature(*, body: bytes, header: str, secret: str, tolerance: int) -> None:
    """Return when Stripe signed this body with the secret within `tolerance` seconds.

    Raises BadSignature otherwise. An empty secret verifies nothing.
    """
    try:
        stripe.WebhookSignature.verify_header(body, header, secret, tolerance)
    except (stripe.SignatureVerificationError, UnicodeDecodeError) as error:
        raise BadSignature from error
