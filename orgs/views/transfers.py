from __future__ import annotations

from allauth.decorators import rate_limit
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from orgs import services
from orgs.decorators import MemberRequest, member_required
from orgs.forms import TransferRequestForm


@require_http_methods(["GET", "HEAD", "POST"])
@member_required
@rate_limit(action="request_transfer")  # type: ignore[untyped-decorator]
def request_transfer(request: MemberRequest) -> HttpResponse:
    """The owner asks staff to hand the organization on."""
    organization = request.organization
    form = TransferRequestForm(request.POST or None, organization=organization)
    if form.is_valid():
        try:
            services.request_ownership_transfer(
                organization=organization,
                new_owner=form.cleaned_data["to"],
                by=request.user,
                reason=form.cleaned_data["reason"],
                now=timezone.now(),
            )
        except services.NotOwner:
            form.add_error(None, _("Only the owner can ask for this."))
        except services.RequestPending:
            form.add_error(None, _("You have asked already; our staff will answer."))
        except services.TransferRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("We have your request. Our staff will look at it."))
            return redirect("orgs:request_transfer")
    context = {
        "organization": organization,
        "owner": organization.owner,
        "is_owner": organization.owner_id == request.user.pk,
        "has_candidates": organization.eligible_owners().exists(),
        "pending": organization.ownership_transfer_requests.pending()
        .select_related("new_owner")
        .first(),
        "form": form,
    }
    status = 422 if form.errors else 200
    return render(request, "orgs/request_transfer.html", context, status=status)


@require_POST
@member_required
def withdraw_transfer_request(request: MemberRequest) -> HttpResponse:
    pending = request.organization.ownership_transfer_requests.pending().first()
    if pending is not None:
        try:
            services.close_ownership_transfer_request(
                request=pending, by=request.user, now=timezone.now()
            )
        except services.ActorNotAllowed:
            messages.error(request, _("Only the owner can withdraw it."))
        else:
            messages.success(request, _("You withdrew your request."))
    return redirect("orgs:request_transfer")
