"""What people read when a permission is refused: what is missing, and who or what would give it.

The same for pages, htmx and JSON, with a stable code: the name of the leg that refused.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from orgs.models import Organization, Tier
from orgs.permissions import Leg, Verdict

HTML, JSON = "text/html", "application/json"


@dataclass(frozen=True)
class Refusal:
    """`code` is stable; `title` and `message` are for people."""

    code: str
    title: str
    message: str
    # The owner can do something about it on the billing page.
    leads_to_billing: bool = False


def refusal_for(
    verdict: Verdict, permission: str, organization: Organization, *, is_owner: bool
) -> Refusal:
    """Choose the words for somebody of this organization."""
    owner = organization.owner.get_full_name()
    if verdict.leg is Leg.TIER:
        title, message = _not_in_tier(permission, owner, is_owner=is_owner)
    elif verdict.leg is Leg.LOCKED:
        title = _("Billing is past due")
        message = (
            _("You can do this again once billing is resolved.")
            if is_owner
            else _("Contact %(owner)s to resolve billing.") % {"owner": owner}
        )
    elif verdict.leg is Leg.CLOSED:
        title = _("This organization is closed")
        message = _("Contact %(owner)s to reopen it.") % {"owner": owner}
    else:
        title = _("Your role does not include this")
        message = _("Ask %(owner)s for a role that does.") % {"owner": owner}
    leads_to_billing = is_owner and verdict.leg in {Leg.TIER, Leg.LOCKED}
    return Refusal(str(verdict.leg), title, message, leads_to_billing)


def _not_in_tier(permission: str, owner: str, *, is_owner: bool) -> tuple[str, str]:
    app, _dot, codename = permission.partition(".")
    tiers = Tier.objects.offered().filter(
        entitlements__content_type__app_label=app, entitlements__codename=codename
    )
    tier = tiers.first()
    if tier is None:
        return _("Your plan does not include this"), _("No plan on offer does.")
    title = _("This needs the plan %(tier)s") % {"tier": tier.name}
    if is_owner:
        return title, _("Change your plan to have it.")
    return title, _("Ask %(owner)s to change your plan.") % {"owner": owner}


def respond(
    request: HttpRequest, verdict: Verdict, permission: str, organization: Organization
) -> HttpResponse:
    """Answer 403 to members and developers; to outsiders there is no such organization (404)."""
    if verdict.leg is Leg.NOT_A_MEMBER:
        raise Http404
    is_owner = organization.owner_id == request.user.pk
    refusal = refusal_for(verdict, permission, organization, is_owner=is_owner)
    if request.get_preferred_type([HTML, JSON]) == JSON:
        error = {"code": refusal.code, "message": f"{refusal.title}. {refusal.message}"}
        return JsonResponse({"error": error}, status=403)
    template = "orgs/_refused.html" if "HX-Request" in request.headers else "orgs/refused.html"
    return render(request, template, {"refusal": refusal}, status=403)
