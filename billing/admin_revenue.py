"""Staff's page of revenue, and the list of the movements that it is made of."""

from __future__ import annotations

from datetime import date
from typing import Any, TypeVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts.admin_base import LongListAdmin, ReadOnlyAdminMixin, actor_of
from accounts.admin_csv import CsvAdminMixin
from billing import services
from billing.models import Movement, Status
from billing.movements import MovementKind, shown_months
from billing.revenue import Revenue, revenue_at, signed_money
from orgs.admin_scope import ScopedAdminMixin
from orgs.models import FREE_TIER_KEY, Tier
from orgs.permissions import sees_all

RowOfList = TypeVar("RowOfList", bound=Model)
PAGE = "admin:billing_movement_revenue"
# How each kind is drawn: the colour, by its name in the admin's style, and the dashes. What comes
# and what goes has a colour each, and nobody has to tell them apart by it.
DRAWN = {
    MovementKind.NEW: ("--link-fg", []),
    MovementKind.UPGRADED: ("--link-fg", [6, 4]),
    MovementKind.RECOVERED: ("--link-fg", [2, 3]),
    MovementKind.LEFT: ("--body-fg", []),
    MovementKind.DOWNGRADED: ("--body-fg", [6, 4]),
    MovementKind.LAPSED: ("--body-fg", [2, 3]),
}


@require_http_methods(["GET", "HEAD", "POST"])
def revenue_view(request: HttpRequest) -> HttpResponse:
    """Show what was counted, to staff who see all organizations; or have it counted anew."""
    if not sees_all(actor_of(request)):
        raise PermissionDenied
    if request.method == "POST":
        services.count_revenue_now.enqueue()
        messages.success(request, _("It is being counted. Look again in a moment."))
        return redirect(PAGE)
    revenue = revenue_at(timezone.now())
    page = {
        **admin.site.each_context(request),
        "opts": Movement._meta,
        "title": _("Revenue"),
        "revenue": revenue,
        "statuses": [status.label for status in Status],
        "kinds": [kind.label for kind in MovementKind],
        "standings_url": reverse("admin:billing_standing_changelist"),
        "movements_url": reverse("admin:billing_movement_changelist"),
        "chart": _chart(revenue),
    }
    return render(request, "admin/billing/movement/revenue.html", page)


def _chart(revenue: Revenue) -> dict[str, object]:
    """What static/chart.js draws."""
    return {
        "labels": [date_format(month, "YEAR_MONTH_FORMAT") for month in revenue.months],
        "lines": [
            {
                "label": capfirst(kind.label),
                "data": revenue.lines[kind],
                "colour": colour,
                "borderDash": dashes,
            }
            for kind, (colour, dashes) in DRAWN.items()
        ],
    }


class LeadsToRevenueMixin(CsvAdminMixin[RowOfList]):
    """A list with a link to the page of revenue, for those who may open it."""

    change_list_template = "admin/billing/leads_to_revenue.html"

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        sees = {"sees_revenue": sees_all(actor_of(request))}
        return super().changelist_view(request, (extra_context or {}) | sees)


class TierFilter(admin.SimpleListFilter):
    """The tier of a standing's organization; free is whoever has no other.

    Offered beside a status alone, whose index finds the rows: tiers are the organizations' own.
    """

    title = gettext_lazy("tier")
    parameter_name = "tier"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        if "status__exact" not in request.GET:
            return []
        return list(Tier.objects.order_by("rank", "key").values_list("key", "name"))

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        tier = Tier.objects.filter(key=self.value()).first() if self.value() else None
        if tier is None:
            return queryset
        theirs = Q(organization__tier=tier)
        if tier.key == FREE_TIER_KEY:
            theirs |= Q(organization__tier=None)
        return queryset.filter(theirs)


class MonthFilter(admin.SimpleListFilter):
    title = gettext_lazy("month")
    parameter_name = "month"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            (f"{month:%Y-%m}", date_format(month, "YEAR_MONTH_FORMAT"))
            for month in reversed(shown_months(timezone.now()))
        ]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        month = _month(self.value() or "")
        return queryset.filter(month=month) if month else queryset


def _month(text: str) -> date | None:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        return None


@admin.register(Movement)
class MovementAdmin(
    ReadOnlyAdminMixin,
    ScopedAdminMixin[Movement],
    LeadsToRevenueMixin[Movement],
    LongListAdmin[Movement],
):
    organization_path = "organization"
    # Who sees all organizations sees what was of those that are gone, too.
    shows_built_in = True
    list_display = ("created_at", "organization", "kind", "currency", "more_a_month", "told_by")
    list_select_related = ("organization",)
    list_filter = ("kind", MonthFilter)
    search_fields = ("organization__slug__startswith",)
    search_help_text = gettext_lazy("The beginning of the organization's slug")
    ordering = ("-id",)
    fields = ("created_at", "organization", "kind", "month", "more_a_month", "told_by")
    readonly_fields = ("more_a_month", "told_by")
    csv_columns = (
        (gettext_lazy("time"), "created_at"),
        (gettext_lazy("organization"), "organization.name"),
        (gettext_lazy("slug"), "organization.slug"),
        (gettext_lazy("kind"), "kind"),
        (gettext_lazy("currency"), "currency"),
        (gettext_lazy("amount in minor units"), "amount"),
    )

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(revenue_view)
        return [path("revenue/", view, name="billing_movement_revenue"), *super().get_urls()]

    def is_in_scope(self, request: HttpRequest, row: Model) -> bool:
        return sees_all(actor_of(request)) or super().is_in_scope(request, row)

    @admin.display(description=gettext_lazy("more a month"))
    def more_a_month(self, movement: Movement) -> str | None:
        if movement.amount is None:
            return None
        return signed_money(movement.amount, movement.currency)

    @admin.display(description=gettext_lazy("told by"))
    def told_by(self, movement: Movement) -> str:
        url = reverse("admin:accounts_usereventlog_change", args=[movement.line_id])
        return format_html('<a href="{}">{}</a>', url, _("Line of the log"))
