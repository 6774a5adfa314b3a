from __future__ import annotations

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django.views.decorators.csrf import requires_csrf_token

from accounts.impersonation import current

# What the database could not do just now: it is down, full, or too many want it at once.
UNAVAILABLE = (OperationalError, InterfaceError)
SECONDS_UNTIL_AGAIN = 10


@requires_csrf_token
def server_error(request: HttpRequest) -> HttpResponse:
    """Say that something went wrong, with the way back for whoever impersonates somebody.

    Where the database is what failed: 503, so that browsers, proxies and Stripe come again.
    """
    if isinstance(sys.exception(), UNAVAILABLE):
        return HttpResponse(
            render_to_string("503.html"),
            status=503,
            headers={"Retry-After": str(SECONDS_UNTIL_AGAIN), "Cache-Control": "no-store"},
        )
    impersonation = current(request)
    context = {}
    if impersonation is not None:
        context = {"impersonation": impersonation, "csrf_token": get_token(request)}
    return HttpResponse(render_to_string("500.html", context), status=500)
