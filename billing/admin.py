from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from accounts import times
from accounts.admin_base import LongListAdmin, ReadOnlyAdminMixin, actor_of
from accounts.admin_log import LoggedChangesMixin
from billing import (
    admin_mails,
    admin_mirror,
    admin_organizations,
    admin_reconcile,
    admin_why,
    services,
)
from billing.admin_churn import RiskFilter, with_last_active
from billing.admin_exemptions import ExemptFilter, exempt_view
from billing.admin_revenue import LeadsToRevenueMixin, TierFilter
from billing.admin_story import billing_section, sync_tool, sync_view
from billing.admin_sync import SyncFilter
from billing.at_stripe import page_of
from billing.chips import standing_chip
from billing.models import Standing, TierPrice
from billing.money import format_money
from billing.payment_methods import words_of
from billing.reasons import words_for
from orgs import clock
from orgs.admin import OrganizationAdmin
from orgs.admin_scope import ScopedAdminMixin
from orgs.chips import tier_chip


@admin.register(TierPrice)
class TierPriceAdmin(LoggedChangesMixin, admin.ModelAdmin[TierPrice]):
    list_display = ("tier", "interval", "amount", "currency", "stripe_price_id", "trial_days")
    list_select_related = ("tier",)
    ordering = ("tier__rank", "interval")

    def get_readonly_fields(
        self, request: HttpRequest, obj: TierPrice | None = None
    ) -> tuple[str, ...]:
        """What was made at Stripe is not edited: people may have bought it."""
        is_made = obj is not None and obj.amount is not None and obj.stripe_price_id is not None
        fixed = ("tier", "interval", "amount", "currency", "stripe_price_id")
        return fixed if is_made else ()

    def save_model(self, request: HttpRequest, obj: TierPrice, form: Any, change: bool) -> None:
        services.save_tier_price(price=obj, by=actor_of(request), now=clock.now())

    def has_delete_permission(self, request: HttpRequest, obj: TierPrice | None = None) -> bool:
        """Those who pay it would lose their tier; a price is retired at Stripe."""
        return False


# orgs knows nothing of billing, so billing adds its part to the organization's page.
OrganizationAdmin.sections.insert(0, billing_section)
OrganizationAdmin.tools.append(sync_tool)


@admin.register(Standing)
class StandingAdmin(
    ReadOnlyAdminMixin,
    ScopedAdminMixin[Standing],
    LeadsToRevenueMixin[Standing],
    LongListAdmin[Standing],
):
    organization_path = "organization"
    list_display = (
        "organization",
        "chip",
        "tier_chip",
        "why",
        "last_active",
        "pays",
        "synced_at",
    )
    list_select_related = ("organization__owner", "organization__tier")
    list_filter = (RiskFilter, ExemptFilter, SyncFilter, "status", TierFilter)
    change_form_template = "admin/billing/standing/change_form.html"
    csv_columns = (
        (_("organization"), "organization.name"),
        (_("slug"), "organization.slug"),
        (_("owner"), "organization.owner.email"),
        (_("status"), "status"),
        (_("reason"), "reason"),
        (_("last active"), "last_active"),
    )
    search_fields = (
        "organization__name__istartswith",
        "organization__slug__startswith",
        "organization__stripe_customer__exact",
        "subscription__exact",
    )
    search_help_text = _("The beginning of the organization's name or slug, or cus_…, sub_…")
    ordering = ("-id",)
    fieldsets = (
        (None, {"fields": ("organization", "owner", "chip", "tier_chip", "why", "locked_from")}),
        (
            _("What it pays"),
            {
                "fields": (
                    "stripe_subscription",
                    "pays",
                    "paid_with",
                    "is_billed_twice",
                    "unconfirmed_invoice",
                    "grace_ends_at",
                    "ends_at",
                    "free_chosen_at",
                )
            },
        ),
        (_("Exemption"), {"fields": ("exempt_until", "exempt_tier", "exempt_reason")}),
        (
            _("In step with Stripe"),
            {
                "fields": (
                    "synced_at",
                    "sync_requested_at",
                    "reconciled_at",
                    "locks_at",
                    "lease_until",
                    "generation",
                    "customer_key",
                )
            },
        ),
    )
    readonly_fields = (
        "owner",
        "chip",
        "tier_chip",
        "locked_from",
        "stripe_subscription",
        "pays",
        "paid_with",
    )

    def get_urls(self) -> list[URLPattern]:
        exempt = path(
            "<int:standing_id>/exempt/",
            self.admin_site.admin_view(self.exempt_view),
            name="billing_standing_exempt",
        )
        sync = path(
            "<int:standing_id>/sync/",
            self.admin_site.admin_view(self.sync_view),
            name="billing_standing_sync",
        )
        return [exempt, sync, *super().get_urls()]

    def exempt_view(self, request: HttpRequest, standing_id: int) -> HttpResponse:
        """Find those only that the list shows to whoever asks."""
        standing = get_object_or_404(self.get_queryset(request), pk=standing_id)
        return exempt_view(request, standing)

    def sync_view(self, request: HttpRequest, standing_id: int) -> HttpResponse:
        standing = get_object_or_404(self.get_queryset(request), pk=standing_id)
        return sync_view(request, standing)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Standing]:
        return with_last_active(super().get_queryset(request))

    @admin.display(description=_("status"))
    def chip(self, standing: Standing) -> str | None:
        return standing_chip(standing)

    @admin.display(description=_("tier"))
    def tier_chip(self, standing: Standing) -> str:
        return tier_chip(standing.organization.tier) or "-"

    @admin.display(description=_("pays a month"))
    def pays(self, standing: Standing) -> str:
        if standing.recurring_amount is None:
            return "-"
        return format_money(standing.recurring_amount, standing.recurring_currency)

    @admin.display(description=_("paid with"))
    def paid_with(self, standing: Standing) -> str:
        return words_of(standing.payment_method) if standing.payment_method else "-"

    @admin.display(description=_("owner"))
    def owner(self, standing: Standing) -> str:
        owner = standing.organization.owner
        url = reverse("admin:accounts_user_change", args=[owner.pk])
        return format_html('<a href="{}">{}</a> ({})', url, owner.get_full_name(), owner.email)

    @admin.display(description=_("locked from"))
    def locked_from(self, standing: Standing) -> str:
        since = standing.organization.locked_from
        return "-" if since is None else times.minute(since)

    @admin.display(description=_("subscription"))
    def stripe_subscription(self, standing: Standing) -> str:
        if standing.subscription_id is None:
            return "-"
        url = page_of("subscriptions", standing.subscription_id)
        words = standing.subscription_id
        return format_html('<a href="{}" rel="noopener noreferrer">{}</a>', url, words)

    @admin.display(description=_("reason"))
    def why(self, standing: Standing) -> str:
        return words_for(standing.reason)

    @admin.display(description=_("last active"))
    def last_active(self, standing: Any) -> Any:
        return standing.last_active


# Imported above, so that their pages are added by now.
assert admin_mails
assert admin_mirror
assert admin_organizations
assert admin_reconcile
assert admin_why
