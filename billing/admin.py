from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _
from djstripe import admin as djstripe_admin
from djstripe.models import APIKey

from accounts.admin_base import LongListAdmin, ReadOnlyAdminMixin, actor_of
from accounts.admin_log import LoggedChangesMixin
from billing import admin_mails, admin_reconcile, admin_why, services
from billing.admin_churn import RiskFilter, with_last_active
from billing.admin_exemptions import ExemptFilter, exempt_view
from billing.admin_revenue import LeadsToRevenueMixin, TierFilter
from billing.admin_story import billing_section, sync_tool, sync_view
from billing.admin_sync import SyncFilter
from billing.models import Standing, TierPrice
from billing.reasons import words_for
from orgs import clock
from orgs.admin import OrganizationAdmin
from orgs.admin_scope import ScopedAdminMixin
from orgs.permissions import VIEW


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
OrganizationAdmin.sections.append(billing_section)
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
        "status",
        "why",
        "last_active",
        "synced_at",
        "sync_requested_at",
    )
    list_select_related = ("organization__owner",)
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
    search_fields = ("organization__slug__startswith", "organization__stripe_customer__exact")
    search_help_text = _("The beginning of the organization's slug, or cus_…")
    ordering = ("-id",)

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

    @admin.display(description=_("reason"))
    def why(self, standing: Standing) -> str:
        return words_for(standing.reason)

    @admin.display(description=_("last active"))
    def last_active(self, standing: Any) -> Any:
        return standing.last_active


# Imported above, so that their pages are added by now.
assert admin_mails
assert admin_reconcile
assert admin_why

# Of dj-stripe's own admins, each shows the secret API key to whoever may look, and allows edits.
# Its mirror is looked at here, and changed by nobody.
SECRET_FIELDS = {"secret"}


class MirrorAdmin(ReadOnlyAdminMixin, LongListAdmin[models.Model]):
    list_display: Any = ("id", "created", "livemode")
    search_fields = ("id__startswith",)
    search_help_text = _("The beginning of the id")

    def has_view_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Stripe's rows speak of all organizations: for staff who see all of them."""
        return super().has_view_permission(request, obj) and request.user.has_perm(VIEW)

    def get_fields(self, request: Any, obj: Any = None) -> Any:
        return [field.name for field in self.opts.fields if field.name not in SECRET_FIELDS]


def _replace_mirror_admins() -> None:
    # Imported above, so that its registrations are made by now.
    assert djstripe_admin
    for model in apps.get_app_config("djstripe").get_models():
        if not admin.site.is_registered(model):
            continue
        admin.site.unregister(model)
        # Keys are secrets from end to end; bookkeeping rows have no Stripe id to show.
        if model is not APIKey and hasattr(model, "stripe_class"):
            admin.site.register(model, MirrorAdmin)


_replace_mirror_admins()
