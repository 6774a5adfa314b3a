from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from orgs import clock, refusals, services
from orgs.decorators import MemberRequest, member_required, permission_required
from orgs.forms import DetailsForm
from orgs.permissions import explain

CHANGE = "orgs.change_details"


@require_safe
@member_required
def organization(request: MemberRequest) -> HttpResponse:
    """What the organization is called, where its bills go, and the ways out of it."""
    return _page(request, DetailsForm(instance=request.organization))


@require_POST
@permission_required(CHANGE)
def change_details(request: MemberRequest) -> HttpResponse:
    before = request.organization.name
    form = DetailsForm(request.POST, instance=request.organization)
    if form.is_valid():
        try:
            services.change_details(
                organization=request.organization,
                by=request.user,
                slug=request.organization.slug,
                **form.cleaned_data,
            )
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, _("The details are saved."))
            return redirect("orgs:organization")
    # The form has put what was typed into the row, which the page's head names.
    request.organization.name = before
    return _page(request, form)


def _page(request: MemberRequest, form: DetailsForm) -> HttpResponse:
    organization = request.organization
    is_owner = organization.owner_id == request.user.pk
    verdict = explain(request.user, CHANGE, organization, clock.now())
    context = {
        "organization": organization,
        "owner": organization.owner,
        "is_owner": is_owner,
        "form": form if verdict.allowed else None,
        "refusal": None
        if verdict.allowed
        else refusals.refusal_for(verdict, CHANGE, organization, is_owner=is_owner),
        "pending": organization.ownership_transfer_requests.pending()
        .select_related("new_owner")
        .first()
        if is_owner
        else None,
    }
    status = 422 if form.errors else 200
    return render(request, "orgs/organization.html", context, status=status)
