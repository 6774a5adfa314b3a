"""What Stripe sends: who signed it."""

from __future__ import annotations

import stripe


class BadSignature(Exception):
    """The message was not signed by Stripe with this endpoint's secret, or is too old."""


def verify_signature(*, body: bytes, header: str, secret: str, tolerance: int) -> None:
    """Return when Stripe signed this body with the secret within `tolerance` seconds.

    Raises BadSignature otherwise. An empty secret verifies nothing.
    """
    try:
        stripe.WebhookSignature.verify_header(body, header, secret, tolerance)
    except (stripe.SignatureVerificationError, UnicodeDecodeError) as error:
        raise BadSignature from error
