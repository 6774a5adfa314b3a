from __future__ import annotations

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django.views.decorators.csrf import requires_csrf_token

from accounts.impersonation import current

# After which it is worth another try.
RETRY_SECONDS = 30


@requires_csrf_token
def server_error(request: HttpRequest) -> HttpResponse:
    """Say that something went wrong, with the way back for whoever impersonates somebody.

    Where the database is out of reach the status is 503: it is not the request's fault, and it can
    be repeated.
    """
    impersonation = current(request)
    context = {}
    if impersonation is not None:
        context = {"impersonation": impersonation, "csrf_token": get_token(request)}
    page = render_to_string("500.html", context)
    if isinstance(sys.exception(), InterfaceError | OperationalError):
        return HttpResponse(page, status=503, headers={"Retry-After": RETRY_SECONDS})
    return HttpResponse(page, status=500)
