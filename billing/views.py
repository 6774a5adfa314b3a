from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from billing import mirror, plans, services
from billing.forms import SubscribeForm
from billing.gateway import BillingUnavailable
from billing.models import Standing
from billing.overview import (
    debt_of,
    invoice_to_confirm,
    invoices_of,
    overview_of,
    preview_of,
)
from orgs import clock, refusals
from orgs import services as orgs
from orgs.decorators import MemberRequest, member_required
from orgs.forms import ConfirmForm
from orgs.models import REOPEN_WITHIN
from orgs.permissions import explain
from orgs.services import NotClosed, NotOwner, OrganizationIsClosed, StillBilled, TooLate

logger = logging.getLogger(__name__)

P = ParamSpec("P")
MemberView = Callable[Concatenate[MemberRequest, P], HttpResponse]

LOOK = "orgs.view_billing"
# How long somebody who comes back from Stripe waits for the result before being told to look
# again.
PATIENCE = timedelta(seconds=5)


# What steps of paying are refused with, each in words that lead on from the billing page.
REFUSALS: dict[type[Exception], tuple[int, str | Promise]] = {
    services.SamePlan: (messages.INFO, gettext_lazy("You have this plan already.")),
    services.NotOffered: (
        messages.ERROR,
        gettext_lazy("This plan is no longer offered at that price."),
    ),
    services.NothingToChange: (
        messages.INFO,
        gettext_lazy("There is no paid plan to change. Choose one here."),
    ),
    services.NoPlan: (messages.INFO, gettext_lazy("The plan has ended. Choose one here.")),
    OrganizationIsClosed: (
        messages.ERROR,
        gettext_lazy("Your organization is closed. Reopen it first."),
    ),
}


def owner_pays(view: MemberView[P]) -> MemberView[P]:
    """Turn the refusals that steps of paying can meet into pages."""

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
        except tuple(REFUSALS) as refusal:
            level, words = REFUSALS[type(refusal)]
            messages.add_message(request, level, str(words))
            return redirect("billing:overview")

    return cast(MemberView[P], wrapped)


@require_safe
@member_required
def overview(request: MemberRequest) -> HttpResponse:
    organization = request.organization
    is_owner = organization.owner_id == request.user.pk
    # The owner pays here: no tier, lock or role keeps them from it.
    verdict = None if is_owner else explain(request.user, LOOK, organization, clock.now())
    if verdict is not None and not verdict.allowed:
        return refusals.respond(request, verdict, LOOK, organization)
    standing = Standing.objects.select_related("subscription").get(organization=organization)
    context = {
        "organization": organization,
        "standing": standing,
        "status_label": standing.get_status_display(),
        "overview": overview_of(standing, clock.now()),
        "invoices": invoices_of(organization),
        "debt": debt_of(organization, standing, clock.now()),
        "is_in_grace": not organization.is_locked(clock.now()),
        "seats_in_use": organization.people().count(),
        "tier": organization.tier_at(clock.now()),
        "owner": organization.owner,
        "is_owner": is_owner,
        "has_subscription": standing.has_live_subscription,
        # Who never had a subscription may try one.
        "is_new": not mirror.had_subscription(organization.stripe_customer_id or ""),
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
    url = services.choose_plan(
        organization=request.organization,
        price=form.cleaned_data["price"],
        by=request.user,
        return_url=request.build_absolute_uri(reverse("billing:checkout_return")),
        cancel_url=request.build_absolute_uri(reverse("billing:overview")),
    )
    return redirect(url)


@require_safe
@member_required
@owner_pays
def change_plan(request: MemberRequest) -> HttpResponse:
    """Show what a change of plan costs today, as Stripe says, and what the team would lose."""
    organization = request.organization
    form = SubscribeForm(request.GET)
    if not form.is_valid():
        raise Http404
    price = form.cleaned_data["price"]
    invoice = services.preview_plan(organization=organization, price=price, by=request.user)
    standing = Standing.objects.select_related("subscription").get(organization=organization)
    context = {
        "organization": organization,
        "price": price,
        "display": plans.display_of(price),
        "preview": invoice and preview_of(invoice),
        "trial": overview_of(standing, clock.now()).trial,
        "lost": plans.features_lost(organization.tier, price.tier),
        "seats_in_use": organization.people().count(),
    }
    return render(request, "billing/change_plan.html", context)


@require_POST
@member_required
@owner_pays
def cancel(request: MemberRequest) -> HttpResponse:
    services.cancel_plan(organization=request.organization, by=request.user)
    messages.success(request, _("Your plan ends with what is paid. You can resume it."))
    return redirect("billing:overview")


@require_POST
@member_required
@owner_pays
def resume(request: MemberRequest) -> HttpResponse:
    services.resume_plan(organization=request.organization, by=request.user)
    messages.success(request, _("Your plan goes on."))
    return redirect("billing:overview")


@require_safe
@member_required
@owner_pays
def confirm_payment(request: MemberRequest) -> HttpResponse:
    """Lead to Stripe's page on which the owner confirms a payment to their bank.

    By a link: a form may lead to few hosts, and that of invoices is none of them.
    """
    organization = request.organization
    if organization.owner_id != request.user.pk:
        raise NotOwner
    url = invoice_to_confirm(organization)
    if url is None:
        messages.info(request, _("No payment waits to be confirmed."))
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


@require_http_methods(["GET", "HEAD", "POST"])
@member_required
@owner_pays
def close_organization(request: MemberRequest) -> HttpResponse:
    """Close it, after the owner has read what that means and typed its name."""
    organization = request.organization
    if organization.owner_id != request.user.pk:
        raise NotOwner
    if organization.closed_at is not None:
        return redirect("home")
    form = ConfirmForm(request.POST or None, organization=organization)
    if form.is_valid():
        try:
            is_gone = services.close_organization(
                organization=organization, by=request.user, now=clock.now()
            )
        except StillBilled:
            form.add_error(None, _("A subscription has begun meanwhile. Try again."))
        else:
            return _closed(request, is_gone=is_gone)
    standing = Standing.objects.select_related("subscription").get(organization=organization)
    context = {
        "organization": organization,
        "form": form,
        "others": organization.people().exclude(pk=request.user.pk).count(),
        "tier": organization.tier if standing.has_live_subscription else None,
        "days": REOPEN_WITHIN.days,
    }
    status = 422 if form.errors else 200
    return render(request, "billing/close.html", context, status=status)


def _closed(request: MemberRequest, *, is_gone: bool) -> HttpResponse:
    facts = {"name": request.organization.name}
    if is_gone:
        messages.success(request, _("%(name)s is gone.") % facts)
        # Whoever is detached is logged out everywhere, but for here.
        request.user.refresh_from_db()
        update_session_auth_hash(request, request.user)
    else:
        messages.success(request, _("%(name)s is closed. Its members get a mail.") % facts)
    return redirect("home")


@require_POST
@member_required
@owner_pays
def reopen_organization(request: MemberRequest) -> HttpResponse:
    try:
        orgs.reopen_organization(
            organization=request.organization, by=request.user, now=clock.now()
        )
    except TooLate:
        messages.error(request, _("It is too late: its removal has begun."))
    except NotClosed:
        # Somebody clicked twice: it is as they wanted it.
        pass
    else:
        facts = {"name": request.organization.name}
        messages.success(request, _("%(name)s is open again.") % facts)
    return redirect("home")


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
