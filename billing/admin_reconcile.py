"""When everything was last compared with Stripe, and what differed."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.admin_base import LongListAdmin, ReadOnlyAdminMixin
from billing.comparing import FOR_STAFF, Finding
from billing.models import ReconcileFinding, ReconcileRun
from orgs.admin_links import organization_link
from orgs.admin_scope import ScopedAdminMixin
from orgs.permissions import VIEW


@admin.register(ReconcileRun)
class ReconcileRunAdmin(ReadOnlyAdminMixin, admin.ModelAdmin[ReconcileRun]):
    """Speaks of all organizations: for staff who see all of them."""

    list_display = ("started_at", "finished_at", "is_full", "is_dry_run", "looked_at", "found")
    date_hierarchy = "started_at"
    ordering = ("-id",)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) and request.user.has_perm(VIEW)

    @admin.display(description=gettext_lazy("what it found"))
    def found(self, run: ReconcileRun) -> str:
        url = reverse("admin:billing_reconcilefinding_changelist")
        return format_html('<a href="{}?run__id__exact={}">{}</a>', url, run.pk, _("Its findings"))


class LeftFilter(admin.SimpleListFilter):
    title = gettext_lazy("state")
    parameter_name = "left"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", gettext_lazy("not mended"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset & ReconcileFinding.objects.left() if self.value() == "yes" else queryset


@admin.register(ReconcileFinding)
class ReconcileFindingAdmin(
    ReadOnlyAdminMixin, ScopedAdminMixin[ReconcileFinding], LongListAdmin[ReconcileFinding]
):
    organization_path = "organization"
    list_display = ("whose", "customer", "finding", "what", "repaired_at", "next_step")
    list_display_links = None
    list_select_related = ("organization",)
    list_filter = (LeftFilter,)
    search_fields = ("organization__slug__startswith",)
    search_help_text = gettext_lazy("The beginning of the organization's slug")
    ordering = ("-id",)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """A run leads to its findings; the filters offer no list of runs."""
        return lookup == "run__id__exact" or super().lookup_allowed(lookup, value, request)

    @admin.display(description=gettext_lazy("organization"))
    def whose(self, row: ReconcileFinding) -> str:
        return organization_link(row.organization)

    @admin.display(description=gettext_lazy("next step"))
    def next_step(self, row: ReconcileFinding) -> str:
        if row.repaired_at is not None:
            return _("None: a sync mended it.")
        step = FOR_STAFF.get(Finding(row.finding))
        return str(step) if step else _("Sync the organization.")
