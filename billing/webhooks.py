from __future__ import annotations

import json
import logging
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404
from djstripe.models import WebhookEndpoint
from djstripe.views import ProcessWebhookView

from billing import gateway, services
from orgs import clock

logger = logging.getLogger(__name__)

# Stripe's events are a few kilobytes; the largest invoices stay far below this.
LARGEST_BODY = 1_000_000


class WebhookView(ProcessWebhookView):
    """Stripe's way in: verify, store the event once, mark the organization, answer.

    It stands at dj-stripe's URL and uses its endpoint rows, but runs none of its handlers: those
    call Stripe from inside the request. No header replaces the endpoint's secret, and nothing
    that is not verified is stored.
    """

    def post(self, request: HttpRequest, uuid: UUID) -> HttpResponse:
        if _body_length(request) > LARGEST_BODY:
            return HttpResponse("The body is too large.", status=413)
        header = request.headers.get("Stripe-Signature")
        if not header:
            return HttpResponseBadRequest("The Stripe-Signature header is missing.")
        endpoint = get_object_or_404(
            WebhookEndpoint.objects.only("id", "secret", "djstripe_tolerance"), djstripe_uuid=uuid
        )
        if not endpoint.secret:
            logger.error("Webhook endpoint %s has no secret: run stripe_setup", endpoint.id)
            return HttpResponseBadRequest("This endpoint cannot verify anything.")
        try:
            gateway.verify_signature(
                body=request.body,
                header=header,
                secret=endpoint.secret,
                tolerance=endpoint.djstripe_tolerance,
            )
        except gateway.BadSignature:
            return HttpResponseBadRequest("The signature does not match.")
        if not _receive(request.body):
            logger.warning("Endpoint %s got a signed body that is no event", endpoint.id)
            return HttpResponseBadRequest("The body is not an event.")
        return HttpResponse("Received.")


def _body_length(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return LARGEST_BODY + 1


def _receive(body: bytes) -> bool:
    """Receive the event; return whether the body is one."""
    try:
        event = _parse(body)
        if event is None:
            return False
        services.receive_event(event=event, now=clock.now())
    except RecursionError:
        # Nested deeper than Python reads or writes; Stripe's go a few levels down.
        return False
    return True


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
