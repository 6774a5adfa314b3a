from __future__ import annotations

import json
import logging
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBadRequest,
    HttpResponseForbidden,
    HttpResponseNotFound,
)
from djstripe.models import WebhookEndpoint
from djstripe.views import ProcessWebhookView

from accounts.encryption import decrypt
from billing import gateway, services
from billing.metrics import WEBHOOKS
from orgs import clock

logger = logging.getLogger(__name__)

# Stripe's events are a few kilobytes; the largest invoices stay far below this.
LARGEST_BODY = 1_000_000


class Outcome(StrEnum):
    """What came of a call; the values are labels of the metric."""

    # An organization is marked for a sync.
    MARKED = "marked"
    # The event speaks of nobody we know.
    STORED = "stored"
    PLAIN_HTTP = "plain_http"
    UNSIGNED = "unsigned"
    FORGED = "forged"
    NO_EVENT = "no_event"
    NO_SECRET = "no_secret"
    TOO_LARGE = "too_large"
    UNKNOWN_ENDPOINT = "unknown_endpoint"
    # It was not stored, and Stripe will repeat it.
    FAILED = "failed"


class WebhookView(ProcessWebhookView):
    """Stripe's way in: verify, store the event once, mark the organization, answer.

    It stands at dj-stripe's URL and uses its endpoint rows, but runs none of its handlers: those
    call Stripe from inside the request. No header replaces the endpoint's secret, and nothing
    that is not verified is stored.
    """

    def post(self, request: HttpRequest, uuid: UUID) -> HttpResponse:
        outcome = Outcome.FAILED
        try:
            outcome, answer = self._receive(request, uuid)
        finally:
            WEBHOOKS.labels(outcome).inc()
        return answer

    def _receive(self, request: HttpRequest, uuid: UUID) -> tuple[Outcome, HttpResponse]:
        if settings.SECURE_SSL_REDIRECT and not request.is_secure():
            # Stripe would follow no redirect, and whoever else did would be read on the way.
            return Outcome.PLAIN_HTTP, HttpResponseForbidden("Events are taken over HTTPS alone.")
        if _body_length(request) > LARGEST_BODY:
            return Outcome.TOO_LARGE, HttpResponse("The body is too large.", status=413)
        header = request.headers.get("Stripe-Signature")
        if not header:
            return Outcome.UNSIGNED, HttpResponseBadRequest(
                "The Stripe-Signature header is missing."
            )
        endpoint = (
            WebhookEndpoint.objects.only("id", "secret", "djstripe_tolerance")
            .filter(djstripe_uuid=uuid)
            .first()
        )
        if endpoint is None:
            return Outcome.UNKNOWN_ENDPOINT, HttpResponseNotFound("There is no such endpoint.")
        if not endpoint.secret:
            logger.error("Webhook endpoint %s has no secret: run stripe_setup", endpoint.id)
            return Outcome.NO_SECRET, HttpResponseBadRequest(
                "This endpoint cannot verify anything."
            )
        try:
            gateway.verify_signature(
                body=request.body,
                header=header,
                secret=decrypt(endpoint.secret),
                tolerance=endpoint.djstripe_tolerance,
            )
        except gateway.BadSignature:
            return Outcome.FORGED, HttpResponseBadRequest("The signature does not match.")
        outcome = _receive(request.body)
        if outcome is Outcome.NO_EVENT:
            logger.warning("Endpoint %s got a signed body that is no event", endpoint.id)
            return outcome, HttpResponseBadRequest("The body is not an event.")
        return outcome, HttpResponse("Received.")


def _body_length(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return LARGEST_BODY + 1


def _receive(body: bytes) -> Outcome:
    try:
        event = _parse(body)
        if event is None:
            return Outcome.NO_EVENT
        is_ours = services.receive_event(event=event, now=clock.now())
    except RecursionError:
        # Nested deeper than Python reads or writes; Stripe's go a few levels down.
        return Outcome.NO_EVENT
    return Outcome.MARKED if is_ours else Outcome.STORED


def _parse(body: bytes) -> dict[str, Any] | None:
    """Return the event; None when the body is not one."""
    try:
        event = json.loads(body, parse_constant=_refuse)
    except ValueError:
        return None
    if not isinstance(event, dict):
        return None
    if not all(isinstance(event.get(key), str) and event[key] for key in ("id", "type")):
        return None
    return event


def _refuse(constant: str) -> None:
    """Raise ValueError: NaN and Infinity are no JSON, and PostgreSQL stores none."""
    raise ValueError(constant)
