from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts import impersonation_session as session
from accounts.impersonation import current


@require_POST
def stop(request: HttpRequest) -> HttpResponse:
    """The way back. It was stopped before where another tab did so."""
    impersonation = current(request)
    if impersonation is None:
        return redirect("home")
    session.give_back(request, impersonation)
    words = _("You no longer impersonate %(person)s, and are yourself again.")
    messages.success(request, words % {"person": impersonation.person.get_full_name()})
    return redirect("admin:accounts_user_change", impersonation.person.pk)
