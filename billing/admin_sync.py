"""Staff's question which organizations are not kept in step with Stripe."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from orgs import clock


class SyncFilter(admin.SimpleListFilter):
    title = _("sync")
    parameter_name = "sync"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("overdue", _("Asked for, and not done for 15 minutes")),
            ("unheard", _("Nothing heard for two days")),
        ]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() == "overdue":
            return queryset.overdue(clock.now())
        if self.value() == "unheard":
            return queryset.unheard(clock.now())
        return queryset
