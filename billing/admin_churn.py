"""Staff's question which paying organizations are about to go: nobody uses what they pay for."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.activity import DORMANT_AFTER
from accounts.models import User
from billing.models import Standing


class RiskFilter(admin.SimpleListFilter):
    """Organizations that pay, and are dormant.

    One look into an index for each organization that pays, however many people there are: whether
    anybody of the team was active.
    """

    title = _("risk")
    parameter_name = "risk"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        words = _("Pays, and nobody was active for %(days)d days")
        return [("dormant", words % {"days": DORMANT_AFTER.days})]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() != "dormant":
            return queryset
        return queryset.paying().dormant_since(timezone.now() - DORMANT_AFTER)


def with_last_active(standings: QuerySet[Standing]) -> QuerySet[Standing]:
    """Add when somebody of the team was active last, read for each row that is shown."""
    people = User.objects.get_queryset().undeleted()
    theirs = people.filter(organization=OuterRef("organization"), last_active__isnull=False)
    latest = theirs.order_by("-last_active").values("last_active")[:1]
    return standings.annotate(last_active=Subquery(latest))
