"""Staff's question who is active, and who has not been for long."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.activity import DORMANT_AFTER

PARAMETER = "active"
DAYS = {
    "1": _("In the last day"),
    "7": _("In the last 7 days"),
    "30": _("In the last 30 days"),
    "90": _("In the last 90 days"),
}
DORMANT, NEVER = "dormant", "never"


class ActiveFilter(admin.SimpleListFilter):
    """When people were last active. All but the last choice are ranges of its index."""

    title = _("last active")
    parameter_name = PARAMETER

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        dormant = _("Dormant: not for %(days)d days") % {"days": DORMANT_AFTER.days}
        return [*DAYS.items(), (DORMANT, dormant), (NEVER, _("Never"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        chosen, now = self.value(), timezone.now()
        if chosen in DAYS:
            return queryset.filter(last_active__gte=now - timedelta(days=int(chosen)))
        if chosen == DORMANT:
            return queryset.filter(last_active__lt=now - DORMANT_AFTER)
        if chosen == NEVER:
            return queryset.filter(last_active__isnull=True)
        return queryset


def is_by_last_active(request: HttpRequest) -> bool:
    """Whether a range of last activity is chosen; the list is then in that index's order."""
    return request.GET.get(PARAMETER) in {*DAYS, DORMANT}
