"""The event log in the admin: searched and filtered by indexes, and never counted as a whole."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from accounts.admin_base import LongListAdmin, ReadOnlyAdminMixin
from accounts.admin_dates import DateFilter
from accounts.events import GROUPS, Event
from accounts.models import LogExport, User, UserEventLog

# So many lines are paged through; a link leads to the ones before them.
MOST = 1000
# Of so many people, and of so many organizations, that a search finds.
MOST_FOUND = 5


class FirstPages(Paginator[Any]):
    """Pages of the first lines: counting all of them would read all of them."""

    @cached_property
    def count(self) -> int:
        lines: Any = self.object_list
        return len(lines.values_list("pk", flat=True)[:MOST])


class KindFilter(admin.SimpleListFilter):
    """One kind, and not a group of them: an index begins with the kind and goes on in order."""

    title = _("kind")
    parameter_name = "kind"
    # There are many, and the calendar would be far below them.
    template = "admin/folded_filter.html"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            (event.value, format_lazy("{}: {}", group, event.label))
            for group, events in GROUPS.values()
            for event in events
        ]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(event=self.value()) if self.value() in Event else queryset


class TimeFilter(admin.SimpleListFilter):
    """Lines from the first of that time on: keys grow with time, and the list is sorted by key."""

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
        since = timezone.now() - timedelta(days=int(value))
        later = UserEventLog.objects.filter(created_at__gte=since).order_by("created_at")
        first = later.values_list("pk", flat=True).first()
        return queryset.none() if first is None else queryset.filter(pk__gte=first)


class UserEventLogAdmin(ReadOnlyAdminMixin, LongListAdmin[UserEventLog]):
    """Registered by orgs, which lists to staff the lines that they may see."""

    paginator = FirstPages
    list_display = ("created_at", "kind", "user", "actor", "impersonator", "organization")
    list_select_related = ("user", "actor", "impersonator", "organization")
    list_filter = (TimeFilter, DateFilter, KindFilter)
    search_fields = (
        "user__email__startswith",
        "actor__email__startswith",
        "organization__slug__startswith",
    )
    search_help_text = _(
        "The beginning of the e-mail address of whom it happened to or of who did it, or of the "
        "organization's slug; the lines of the first five that begin so"
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

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[UserEventLog], search_term: str
    ) -> tuple[QuerySet[UserEventLog], bool]:
        """Find the newest lines of the few whose name begins so, each by its index."""
        term = search_term.strip().lower()
        if not term:
            return queryset, False
        keys: set[int] = set()
        for field, subject in self.found(term):
            lines = queryset.filter(**{field: subject})
            keys |= set(lines.values_list("pk", flat=True)[:MOST])
        return queryset.filter(pk__in=sorted(keys, reverse=True)[:MOST]), False

    def found(self, term: str) -> list[tuple[str, int]]:
        """Return whom a term finds: a field of the log, and the key that it shall have."""
        people = User.objects.get_queryset().filter(email__startswith=term)
        return [(field, key) for key in first_keys(people) for field in ("user", "actor")]

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


def first_keys(rows: Any) -> list[int]:
    return list(rows.order_by("pk").values_list("pk", flat=True)[:MOST_FOUND])


@admin.register(LogExport)
class LogExportAdmin(ReadOnlyAdminMixin, admin.ModelAdmin[LogExport]):
    list_display = ("created_at", "first_id", "last_id", "lines", "sha256")
    date_hierarchy = "created_at"
    ordering = ("-id",)
