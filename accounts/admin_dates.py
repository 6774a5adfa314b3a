"""Going from a year to a month to a day in a list of the admin that may have a million rows."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

# So many years are offered, the present one included.
YEARS = 5


@dataclass(frozen=True)
class Period:
    """A year, a month or a day, in UTC: "2026", "2026-11", "2026-11-27"."""

    year: int
    month: int | None = None
    day: int | None = None

    @classmethod
    def read(cls, text: str) -> Period | None:
        """Return what an address says; None of what is no period."""
        try:
            period = cls(*map(int, text.split("-")))
            date(period.year, period.month or 1, period.day or 1)
        except (TypeError, ValueError):
            return None
        # The year before and the one after it must be years, too.
        return period if 1900 <= period.year <= 9000 else None

    def __str__(self) -> str:
        months = "" if self.month is None else f"-{self.month:02}"
        return f"{self.year}{months}" + ("" if self.day is None else f"-{self.day:02}")

    @property
    def first(self) -> date:
        return date(self.year, self.month or 1, self.day or 1)

    @property
    def after(self) -> date:
        """The day after its last one."""
        if self.month is None:
            return date(self.year + 1, 1, 1)
        if self.day is None:
            return self.first + timedelta(days=monthrange(self.year, self.month)[1])
        return self.first + timedelta(days=1)


class DateFilter(admin.SimpleListFilter):
    """The rows of a period, which is a range of keys: keys grow with time, lists are sorted by
    key, and an index that begins with the date finds both ends.

    Django's `date_hierarchy` would ask which days have rows, and read all of them for it. This one
    offers a calendar, and reads what it shows.
    """

    title = gettext_lazy("date")
    parameter_name = "on"
    template = "admin/date_filter.html"
    field = "created_at"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        present = timezone.now().year
        return [(str(year), str(year)) for year in range(present, present - YEARS, -1)]

    def choices(self, changelist: Any) -> Iterator[Any]:
        chosen = Period.read(self.value() or "")

        def choice(period: Period, words: str, level: str) -> dict[str, Any]:
            asked = changelist.get_query_string({self.parameter_name: str(period)})
            is_chosen = chosen is not None and str(chosen).startswith(str(period))
            return {
                "selected": is_chosen,
                "query_string": asked,
                "display": words,
                "level": level,
            }

        yield {
            "selected": chosen is None,
            "query_string": changelist.get_query_string(remove=[self.parameter_name]),
            "display": _("Any date"),
            "level": "all",
        }
        years = {int(year) for year, _name in self.lookup_choices}
        for year in sorted(years | ({chosen.year} if chosen else set()), reverse=True):
            yield choice(Period(year), str(year), "year")
        if chosen is None:
            return
        today = timezone.now().date()
        for month in range(1, 13):
            period = Period(chosen.year, month)
            if period.first <= today:
                yield choice(period, date_format(period.first, "M"), "month")
        if chosen.month is None:
            return
        for day in range(1, monthrange(chosen.year, chosen.month)[1] + 1):
            period = Period(chosen.year, chosen.month, day)
            if period.first <= today:
                yield choice(period, str(day), "day")

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        period = Period.read(self.value() or "")
        if period is None:
            return queryset
        first, after = (self._first_key(queryset, day) for day in (period.first, period.after))
        if first is None:
            return queryset.none()
        found = queryset.filter(pk__gte=first)
        return found if after is None else found.filter(pk__lt=after)

    def _first_key(self, queryset: Any, day: date) -> Any:
        """Return the key of the first row, of all that there are, of that day or a later one."""
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
        later = queryset.model._default_manager.filter(**{f"{self.field}__gte": midnight})
        return later.order_by(self.field, "pk").values_list("pk", flat=True).first()
