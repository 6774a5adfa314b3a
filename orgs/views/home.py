from __future__ import annotations

from datetime import datetime

from allauth.decorators import rate_limit
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from orgs import clock, services
from orgs.forms import FoundForm
from orgs.models import Organization
from orgs.permissions import explain
from orgs.seats import Seats, seats_of
from orgs.todo import Known, todo_of


@require_safe
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """Who you are, your team and your plan."""
    assert isinstance(request.user, User)
    organization = request.user.organization
    if organization is None:
        return render(request, "orgs/no_organization.html", {"form": FoundForm()})
    now = clock.now()
    tier = organization.tier_at(now)
    seats = seats_of(organization, tier)
    context = {
        "organization": organization,
        "tier": tier,
        "seats": seats,
        "is_owner": organization.owner_id == request.user.pk,
        "todo": todo_of(_known(request.user, organization, seats, now)),
    }
    return render(request, "orgs/home.html", context)


def _known(person: User, organization: Organization, seats: Seats, now: datetime) -> Known:
    is_owner = organization.owner_id == person.pk
    may_invite = explain(person, "orgs.invite_members", organization, now).allowed
    handing_to = None
    if is_owner:
        requests = organization.ownership_transfer_requests.pending().select_related("new_owner")
        if wish := requests.first():
            handing_to = wish.new_owner.get_full_name() if wish.new_owner else _("somebody")
    expired = organization.invitations.pending().filter(expires_at__lte=now)
    return Known(
        is_owner=is_owner,
        may_invite=may_invite,
        owner=organization.owner.get_full_name(),
        seats=seats,
        has_second_factor=person.has_second_factor,
        expired_invitations=expired.count() if may_invite else 0,
        handing_to=handing_to,
    )


@require_POST
@login_required
@rate_limit(action="found_organization")  # type: ignore[untyped-decorator]
def found(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)
    form = FoundForm(request.POST)
    if not form.is_valid():
        return render(request, "orgs/no_organization.html", {"form": form}, status=422)
    try:
        services.found_organization(name=form.cleaned_data["name"], owner=request.user)
    except services.AlreadyMember:
        messages.error(request, _("You belong to an organization already."))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("home")
