from __future__ import annotations

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
from orgs.seats import seats_of


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The landing page for visitors; who you are, your team and your plan for everybody else."""
    if not isinstance(request.user, User):
        return render(request, "orgs/landing.html")
    organization = request.user.organization
    if organization is None:
        return render(request, "orgs/no_organization.html", {"form": FoundForm()})
    tier = organization.tier_at(clock.now())
    context = {
        "organization": organization,
        "tier": tier,
        "seats": seats_of(organization, tier),
        "is_owner": organization.owner_id == request.user.pk,
    }
    return render(request, "orgs/home.html", context)


@require_POST
@login_required
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
