"""What people read when they are not let in: what happened, and whom to contact."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import exits
from accounts.models import User
from billing.access import Reason
from billing.models import Standing
from orgs.models import Organization


@dataclass(frozen=True)
class Refusal:
    """`code` is stable; `title` and `message` are for people."""

    code: str
    title: str
    message: str


def refusal_for(reason: Reason, organization: Organization, standing_reason: str) -> Refusal:
    """Choose the words. `standing_reason` says why the organization lapsed."""
    owner = organization.owner.get_full_name()
    if reason is Reason.CLOSED:
        title = _("This organization is closed")
        message = _("Your organization was closed. Contact %(owner)s to reopen it.")
    elif standing_reason in {"payment_failed", "unpaid", "payment_disputed"}:
        title = _("Your organization is past due")
        message = _("Your organization is past due. Contact %(owner)s to resolve billing.")
    elif standing_reason == "paused":
        title = _("Your organization's plan is paused")
        message = _("Your organization's plan is paused. Contact %(owner)s to resume it.")
    elif standing_reason == "no_subscription":
        title = _("Your organization has no plan")
        message = _("Your organization has no plan. Contact %(owner)s to choose one.")
    else:
        title = _("Your organization's billing needs attention")
        message = _("Your organization's billing needs attention. Contact %(owner)s to resolve it.")
    return Refusal(str(reason), title, message % {"owner": owner})


# The pages that stay open to somebody who is refused, by their names in the template: for an open
# session, and for whoever was refused at log-in.
WAYS_OUT = {
    "leave_url": ("orgs:leave", "orgs:leave_from_outside"),
    "export_url": ("accounts:export", "accounts:export_from_outside"),
    "delete_url": ("orgs:delete_account", "orgs:delete_from_outside"),
}


def _ways_out(request: HttpRequest, person: User) -> dict[str, str]:
    if request.user.is_authenticated:
        return {name: reverse(page) for name, (page, _outside) in WAYS_OUT.items()}
    outside = exits.urls_of(person, *(page for _page, page in WAYS_OUT.values()))
    return dict(zip(WAYS_OUT, outside, strict=True))


def respond(request: HttpRequest, person: User, reason: Reason) -> HttpResponse:
    """Answer 403: the lock screen, or the same as JSON for callers that prefer it."""
    organization = person.organization
    if organization is None:
        return HttpResponse(_("This account cannot be used."), status=403)
    reasons = Standing.objects.filter(organization=organization).values_list("reason", flat=True)
    refusal = refusal_for(reason, organization, reasons.first() or "")
    if request.get_preferred_type(["text/html", "application/json"]) == "application/json":
        error = {"code": refusal.code, "message": refusal.message}
        return JsonResponse({"error": error}, status=403)
    context = {
        "organization": organization,
        "owner": organization.owner,
        "title": refusal.title,
        "message": refusal.message,
        "reason": refusal.code,
        "is_signed_in": request.user.is_authenticated,
        **_ways_out(request, person),
    }
    return render(request, "billing/locked.html", context, status=403)
