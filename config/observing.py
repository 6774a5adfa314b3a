from __future__ import annotations

import logging
import time
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from config.logs import route_of
from config.metrics import DURATIONS, REQUESTS

logger = logging.getLogger(__name__)

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


class ObservingMiddleware:
    """Count, time and log each request by its route, once it is answered.

    It stands behind the middleware that names the request, and before all others.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        response = self.get_response(request)
        seconds = time.perf_counter() - began
        # What people make up would be a series each.
        method = request.method if request.method in METHODS else "other"
        route = _route(request)
        REQUESTS.labels(method, route, response.status_code).inc()
        DURATIONS.labels(method, route).observe(seconds)
        logger.info(
            "%s %s %d",
            method,
            route,
            response.status_code,
            extra={
                "method": method,
                "route": route,
                "status": response.status_code,
                "milliseconds": round(seconds * 1000),
            },
        )
        return response


def _route(request: HttpRequest) -> str:
    if request.path.startswith(settings.STATIC_URL):
        return "static"
    return route_of(request)
