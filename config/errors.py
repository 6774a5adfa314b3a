from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django.views.decorators.csrf import requires_csrf_token

from accounts.impersonation import current


@requires_csrf_token
def server_error(request: HttpRequest) -> HttpResponse:
    """Say that something went wrong, with the way back for whoever impersonates somebody."""
    impersonation = current(request)
    context = {}
    if impersonation is not None:
        context = {"impersonation": impersonation, "csrf_token": get_token(request)}
    return HttpResponse(render_to_string("500.html", context), status=500)
