from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import impersonation_services as services
from accounts import impersonation_session as session
from accounts.impersonation import Impersonation, current
from accounts.impersonation_services import Ending

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
STOP, LOG_OUT = "impersonation:stop", "account_logout"
HTML, JSON = "text/html", "application/json"


@dataclass(frozen=True)
class Refusal:
    """`code` is stable; `title` and `message` are for people."""

    code: str
    title: str
    message: str


class ImpersonationMiddleware:
    """Ask, at each request, whether an impersonation goes on, and let it look and do nothing.

    It may open the pages that IMPERSONATION_SHOWS names, end, and log out. All else is refused, a
    new URL included. Stands after the person and the messages, before whatever judges people.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            request.impersonation = session.resume(request, timezone.now())  # type: ignore[attr-defined]
        except session.ImpersonationOver:
            words = _("The impersonation has ended, and you are logged out. Log in as yourself.")
            messages.info(request, words)
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        impersonation = current(request)
        if impersonation is None:
            return None
        match = request.resolver_match
        name = match.view_name if match is not None else ""
        if request.method in SAFE_METHODS and name in settings.IMPERSONATION_SHOWS:
            return None
        if name == STOP:
            return None
        if request.method == "POST" and name == LOG_OUT:
            session.abandon(
                request,
                person=impersonation.person,
                by=impersonation.by,
                because=Ending.LOGGED_OUT,
            )
            return redirect(settings.LOGOUT_REDIRECT_URL)
        services.refuse_while_impersonating(
            person=impersonation.person,
            by=impersonation.by,
            method=request.method or "",
            page=name,
        )
        return refuse(request, impersonation)


def refuse(request: HttpRequest, impersonation: Impersonation) -> HttpResponse:
    """Answer 403: a page, a fragment for htmx, or JSON for callers that prefer it."""
    message = _(
        "You see Holdfast as %(person)s does, and can change nothing. Stop impersonating first."
    )
    refusal = Refusal(
        code="impersonating",
        title=_("Not while you impersonate somebody"),
        message=message % {"person": impersonation.person.get_full_name()},
    )
    if request.get_preferred_type([HTML, JSON]) == JSON:
        error = {"code": refusal.code, "message": f"{refusal.title}. {refusal.message}"}
        return JsonResponse({"error": error}, status=403)
    is_fragment = "HX-Request" in request.headers
    template = "accounts/_impersonating.html" if is_fragment else "accounts/impersonating.html"
    return render(request, template, {"refusal": refusal}, status=403)
