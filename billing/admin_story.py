"""Billing's part of an organization's page in the admin: the ten answers, and "Sync now"."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from djstripe.models import Event as StripeEvent
from djstripe.models import Invoice

from accounts.admin_base import actor_of
from accounts.events import GROUPS, Event
from accounts.models import UserEventLog
from billing import heard, services
from billing.at_stripe import pages
from billing.chips import standing_chip
from billing.gateway import BillingUnavailable
from billing.models import PayerMail, Standing, SyncAttempt
from billing.reasons import words_for
from billing.services.checkout import PATIENCE
from billing.story import Known, story_of
from orgs import clock
from orgs.activity import entries
from orgs.models import Organization

MAY_SYNC = "billing.sync_standing"
# So many lines, mails, events and syncs are shown; links lead to the rest.
SHOWN = 10
TIMELINE = (*GROUPS["billing"][1], Event.OWNERSHIP_RECEIVED, Event.ORGANIZATION_CLOSED)
# What changes where it stands; the rest is told beside it.
CHANGES = (Event.STANDING_CHANGED, Event.LOCK_BEGAN, Event.EXEMPTION_GRANTED, Event.EXEMPTION_ENDED)


def billing_section(request: HttpRequest, organization: Organization) -> str:
    """Return the section as HTML; nothing for who may not look at standings."""
    standing = (
        Standing.objects.filter(organization=organization)
        .select_related("subscription", "exempt_tier")
        .first()
    )
    listed = admin.site.get_model_admin(Standing)
    if standing is None or not listed.has_view_permission(request, standing):
        return ""
    customer = organization.stripe_customer_id
    known = _known(organization, standing)
    lines = _lines(organization, TIMELINE)
    context = {
        "organization": organization,
        "standing": standing,
        "standing_chip": standing_chip(standing),
        "reason": words_for(standing.reason),
        "answers": story_of(known, clock.now()),
        "timeline": list(entries(list(lines[:SHOWN]))),
        "events": list(heard.events_of(customer)[:SHOWN]) if customer else [],
        "attempts": known.attempts,
        "sees_mirror": admin.site.get_model_admin(StripeEvent).has_view_permission(request),
    }
    return render_to_string("admin/orgs/organization/_billing.html", context, request)


def sync_tool(request: HttpRequest, organization: Organization) -> str:
    """Return the button that syncs; nothing for who may not."""
    standing = Standing.objects.filter(organization=organization).values("pk").first()
    if standing is None or not request.user.has_perm(MAY_SYNC):
        return ""
    context = {"standing": standing}
    return render_to_string("admin/orgs/organization/_sync.html", context, request)


def _lines(organization: Organization, events: Iterable[Event]) -> QuerySet[UserEventLog]:
    """Return the organization's lines of these kinds, the newest first."""
    lines = UserEventLog.objects.filter(organization=organization, event__in=events)
    return lines.select_related("user", "actor").order_by("-pk")


def _known(organization: Organization, standing: Standing) -> Known:
    open_invoices = Invoice.objects.filter(
        customer=organization.stripe_customer_id, stripe_data__status="open"
    )
    change = _lines(organization, CHANGES).first()
    actor = change.actor if change is not None else None
    return Known(
        organization=organization,
        standing=standing,
        subscription=standing.subscription and standing.subscription.stripe_data,
        open_invoices=list(
            open_invoices.order_by("created").values_list("stripe_data", flat=True)[:SHOWN]
        ),
        mails=list(PayerMail.objects.filter(organization=organization).order_by("-pk")[:SHOWN]),
        attempts=list(
            SyncAttempt.objects.filter(organization=organization).order_by("-pk")[:SHOWN]
        ),
        changed_at=change.created_at if change is not None else None,
        changed_by=actor.get_full_name() if actor is not None else "",
        stripe_url=pages(),
    )


@require_POST
def sync_view(request: HttpRequest, standing: Standing) -> HttpResponse:
    """Ask Stripe now, and say what came of it. The caller found the standing for this person."""
    if not request.user.has_perm(MAY_SYNC):
        raise PermissionDenied
    organization: Any = standing.organization
    services.log_sync_request(organization=organization, by=actor_of(request))
    try:
        is_known = services.sync_now(organization=organization, patience=PATIENCE)
    except BillingUnavailable as error:
        messages.error(request, _("Stripe could not be asked: %(error)s") % {"error": error})
    else:
        if is_known:
            messages.success(request, _("Synced: this is what Stripe says now."))
        else:
            messages.warning(request, _("Another process is at it. Look again in a moment."))
    return redirect("admin:orgs_organization_change", organization.pk)
