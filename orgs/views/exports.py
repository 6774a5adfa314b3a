from __future__ import annotations

from allauth.account.decorators import reauthentication_required
from allauth.decorators import rate_limit
from django.http import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.exports import download
from orgs import services
from orgs.decorators import MemberRequest, member_required


@require_http_methods(["GET", "HEAD", "POST"])
@member_required
def export_organization(request: MemberRequest) -> HttpResponseBase:
    """Download what we hold of the organization: for its owner, also of a locked or closed one."""
    organization = request.organization
    if organization.owner_id != request.user.pk:
        context = {"organization": organization, "owner": organization.owner}
        return render(request, "orgs/export_refused.html", context, status=403)
    response: HttpResponseBase = _export(request)
    return response


@reauthentication_required  # type: ignore[untyped-decorator]
@rate_limit(action="export")  # type: ignore[untyped-decorator]
def _export(request: MemberRequest) -> HttpResponseBase:
    organization = request.organization
    if request.method != "POST":
        return render(request, "orgs/export.html", {"organization": organization})
    now = timezone.now()
    copy = services.export_organization(organization=organization, by=request.user, now=now)
    return download(copy, f"holdfast-{organization.slug}-{now:%Y-%m-%d}.json")
