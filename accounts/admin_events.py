"""The event log in the admin: searched and filtered by indexes, and never counted as a whole."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from accounts.admin_base import LongListAdmin, ReadOnlyAdminMixin
from accounts.events import GROUPS
from accounts.models import LogExport, UserEventLog

# So many lines are paged through; a link leads to the ones before them.
MOST = 1000


class FirstPages(Paginator[Any]):
    """Pages of the first lines: counting all of them would read all of them."""

    @cached_property
    def count(self) -> int:
        lines: Any = self.object_list
        return len(lines.values_list("pk", flat=True)[:MOST])


class KindFilter(admin.SimpleListFilter):
    title = _("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(key, label) for key, (label, _events) in GROUPS.items()]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        group = GROUPS.get(self.value() or "")
        return queryset.filter(event__in=group[1]) if group else queryset


class TimeFilter(admin.SimpleListFilter):
    title = _("time")
    parameter_name = "days"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("1", _("The last 24 hours")),
            ("7", _("The last 7 days")),
            ("30", _("The last 30 days")),
            ("365", _("The last year")),
        ]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        value = self.value() or ""
        if not value.isdecimal() or len(value) > 4:
            return queryset
        return queryset.filter(created_at__gte=timezone.now() - timedelta(days=int(value)))


class UserEventLogAdmin(ReadOnlyAdminMixin, LongListAdmin[UserEventLog]):
    """Registered by orgs, which lists to staff the lines that they may see."""

    paginator = FirstPages
    list_display = ("created_at", "kind", "user", "actor", "impersonator", "organization")
    list_select_related = ("user", "actor", "impersonator", "organization")
    list_filter = (KindFilter, TimeFilter)
    search_fields = (
        "user__email__startswith",
        "actor__email__startswith",
        "organization__slug__startswith",
    )
    search_help_text = _(
        "The beginning of the e-mail address of whom it happened to or of who did it, or of the "
        "organization's slug"
    )
    ordering = ("-id",)
    fields = (
        "created_at",
        "kind",
        "event",
        "user",
        "actor",
        "impersonator",
        "organization",
        "data",
        "ip_address",
        "device",
        "request_id",
    )
    readonly_fields = ("kind",)

    @admin.display(description=_("what happened"))
    def kind(self, line: UserEventLog) -> str:
        return line.kind

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        answer = super().changelist_view(request, extra_context)
        if isinstance(answer, TemplateResponse) and answer.context_data:
            shown = answer.context_data.get("cl")
            if shown and shown.result_count >= MOST:
                last = shown.queryset.values_list("pk", flat=True)[MOST - 1]
                answer.context_data["older"] = shown.get_query_string({"id__lt": last}, ["p"])
        return answer


@admin.register(LogExport)
class LogExportAdmin(ReadOnlyAdminMixin, admin.ModelAdmin[LogExport]):
    list_display = ("created_at", "first_id", "last_id", "lines", "sha256")
    ordering = ("-id",)
