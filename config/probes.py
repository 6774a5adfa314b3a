"""What machines ask: is this process alive, is it of use, and what has it counted?"""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare
from prometheus_client import CONTENT_TYPE_LATEST

from config import health
from config.metrics import exposition
from orgs import clock


class ProbesMiddleware:
    """Answers `/health/live`, `/health/ready` and, to whoever has METRICS_TOKEN, `/metrics`.

    It stands before all others, because a balancer asks by address and over plain HTTP: no Host is
    refused, nothing is redirected, and there is no session, person or gate. To others `/metrics`
    is a page that does not exist.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return self.get_response(request)
        if request.path_info == "/health/live":
            return _uncached(JsonResponse({"status": "live"}))
        if request.path_info == "/health/ready":
            return _uncached(_ready())
        if request.path_info == "/metrics" and _has_token(request):
            return _uncached(HttpResponse(exposition(), content_type=CONTENT_TYPE_LATEST))
        return self.get_response(request)


def _ready() -> HttpResponse:
    parts = health.examine(clock.now())
    state = health.state_of(parts.values())
    told = {name: part.told() for name, part in parts.items()}
    return JsonResponse(
        {"status": state, "parts": told}, status=503 if state is health.State.DOWN else 200
    )


def _has_token(request: HttpRequest) -> bool:
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    return (
        bool(settings.METRICS_TOKEN)
        and scheme == "Bearer"
        and constant_time_compare(token, settings.METRICS_TOKEN)
    )


def _uncached(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    return response
