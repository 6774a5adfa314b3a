from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from billing import plans, services
from billing.forms import SubscribeForm
from billing.gateway import BillingUnavailable
from billing.models import Standing
from orgs import clock
from orgs.decorators import MemberRequest, member_required
from orgs.services import NotOwner

logger = logging.getLogger(__name__)

P = ParamSpec("P")
MemberView = Callable[Concatenate[MemberRequest, P], HttpResponse]

# How long somebody who comes back from Stripe waits for the result before being told to look
# again.
PATIENCE = timedelta(seconds=5)


def owner_pays(view: MemberView[P]) -> MemberView[P]:
    """Turn the two refusals that every step of paying can meet into pages."""

    @wraps(view)
    def wrapped(request: MemberRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except NotOwner:
            owner = request.organization.owner
            message = _("Only the owner, %(owner)s, can change billing.") % {
                "owner": owner.get_full_name()
            }
            context = {"message": message, "owner": owner}
            return render(request, "billing/refused.html", context, status=403)
        except BillingUnavailable as error:
            logger.warning("Organization %s could not pay: %s", request.organization.pk, error)
            return render(request, "billing/unavailable.html", status=503)

    return cast(MemberView[P], wrapped)


@require_safe
@member_required
def overview(request: MemberRequest) -> HttpResponse:
    organization = request.organization
    standing = Standing.objects.select_related("subscription").get(organization=organization)
    context = {
        "organization": organization,
        "standing": standing,
        "status_label": standing.get_status_display(),
        "tier": organization.tier_at(clock.now()),
        "owner": organization.owner,
        "is_owner": organization.owner_id == request.user.pk,
        "has_subscription": standing.has_live_subscription,
        "can_choose_free": standing.can_choose_free,
        "can_change_plan": standing.can_change_plan,
        "plans": plans.offered_plans(organization.tier, standing.price_ids),
    }
    return render(request, "billing/overview.html", context)


@require_POST
@member_required
@owner_pays
def subscribe(request: MemberRequest) -> HttpResponse:
    form = SubscribeForm(request.POST)
    if not form.is_valid():
        raise Http404
    try:
        url = services.choose_plan(
            organization=request.organization,
            price=form.cleaned_data["price"],
            by=request.user,
            return_url=request.build_absolute_uri(reverse("billing:checkout_return")),
            cancel_url=request.build_absolute_uri(reverse("billing:overview")),
        )
    except services.SamePlan:
        messages.info(request, _("You have this plan already."))
        return redirect("billing:overview")
    except services.NotOffered:
        messages.error(request, _("This plan is no longer offered at that price."))
        return redirect("billing:overview")
    return redirect(url)


@require_POST
@member_required
@owner_pays
def portal(request: MemberRequest) -> HttpResponse:
    url = services.open_portal(
        organization=request.organization,
        by=request.user,
        return_url=request.build_absolute_uri(reverse("billing:checkout_return")),
    )
    return redirect(url)


@require_POST
@member_required
@owner_pays
def choose_free(request: MemberRequest) -> HttpResponse:
    try:
        services.choose_free_tier(
            organization=request.organization, by=request.user, now=clock.now()
        )
    except services.NotOffered:
        messages.error(request, _("There is no free plan."))
        return redirect("billing:overview")
    return redirect("billing:checkout_return")


@require_safe
@member_required
def checkout_return(request: MemberRequest) -> HttpResponse:
    """The way back from Stripe: look at once what came of it."""
    try:
        is_known = services.sync_now(organization=request.organization, patience=PATIENCE)
    except BillingUnavailable:
        is_known = False
    if is_known:
        return redirect("billing:overview")
    return render(request, "billing/returned.html", {"retry_url": request.path}, status=202)
