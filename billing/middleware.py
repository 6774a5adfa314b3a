from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from accounts.http import ViewMiddleware, let_in
from accounts.impersonation import real_user
from billing import refusals
from billing.access import decide
from billing.metrics import count_decision
from orgs import clock

# Names of URLs that are never gated: those without a person, and a refused person's ways out.
UNGATED = {
    "djstripe:djstripe_webhook_by_uuid",
    "account_logout",
    "orgs:leave",
    "orgs:leave_from_outside",
    "accounts:export",
    "accounts:export_from_outside",
    "orgs:delete_account",
    "orgs:delete_from_outside",
    # Where those ask whether it is them.
    "account_reauthenticate",
    "mfa_reauthenticate",
    "mfa_reauthenticate_webauthn",
}


class AccessMiddleware(ViewMiddleware):
    """Ask, for each page, whether this person may come in now; it adds no statement.

    Of an impersonation it asks about the developer, who so can look at a locked organization.
    """

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        match = request.resolver_match
        if match is not None and match.view_name in UNGATED:
            return None
        person = real_user(request)
        if person is None:
            return None
        access = decide(person, clock.now())
        count_decision("page", access)
        if access.allowed:
            let_in(request)
            return None
        return refusals.respond(request, person, access.reason)
