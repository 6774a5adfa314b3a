from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import exits
from accounts.models import User
from accounts.services import OwnsOrganization
from accounts.sessions import keep_session
from orgs import clock, services


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def leave(request: HttpRequest) -> HttpResponse:
    """Leave one's organization, also a locked one: the gate lets this page through."""
    assert isinstance(request.user, User)
    if request.user.organization is None:
        return redirect("home")
    return _leave(request, request.user)


@require_http_methods(["GET", "HEAD", "POST"])
def leave_from_outside(request: HttpRequest, token: str) -> HttpResponse:
    """The same for somebody whom the lock kept out at log-in, after they proved who they are."""
    person = exits.person_of("orgs:leave_from_outside", token)
    if person is None or person.organization is None:
        raise Http404
    return _leave(request, person)


def _leave(request: HttpRequest, person: User) -> HttpResponse:
    organization = person.organization
    assert organization is not None
    context: dict[str, Any] = {
        "organization": organization,
        "owner": organization.owner,
        "is_owner": organization.owner_id == person.pk,
        "is_alone": not organization.people().exclude(pk=person.pk).exists(),
        "held": person.role_assignments.active().select_related("role"),
    }
    if request.method != "POST":
        return render(request, "orgs/leave.html", context)
    try:
        services.leave_organization(user=person, now=clock.now())
    except services.NotAMember:
        return redirect("home")
    except OwnsOrganization:
        return render(request, "orgs/leave.html", context, status=409)
    messages.success(request, _("You left %(name)s.") % {"name": organization.name})
    if request.user != person:
        return redirect("account_login")
    person.refresh_from_db()
    # Their other sessions have ended; this one goes on.
    keep_session(request, person)
    return redirect("home")
