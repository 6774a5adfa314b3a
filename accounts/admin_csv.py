"""Lists of the admin that staff download: as they are filtered, searched and scoped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.views.decorators.http import require_safe

from accounts import services
from accounts.csv import stream_csv
from accounts.events import Event
from accounts.models import User

Row = TypeVar("Row", bound=Model)
# So many rows are fetched at once, and held no longer than until they are sent.
CHUNK = 2_000


class CsvAdminMixin(admin.ModelAdmin[Row]):
    """A list with a link that downloads all of it, and not only the page that is shown.

    Whoever may look at the list may download it; the log says who did. Stands before LongListAdmin.
    """

    change_list_template = "admin/csv_change_list.html"
    # The name of a column, and the attribute or the path of attributes that stands in it.
    csv_columns: tuple[tuple[str | Promise, str], ...]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_safe(self.csv_view))
        return [path("csv/", view, name=self._csv_name), *super().get_urls()]

    @property
    def _csv_name(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_csv"

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        address = {"csv_url": reverse(f"admin:{self._csv_name}")}
        return super().changelist_view(request, (extra_context or {}) | address)

    def csv_view(self, request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        try:
            listed = self.get_changelist_instance(request)
        except IncorrectLookupParameters:
            return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        log_export(request, self.opts.label_lower)
        header = [name for name, _attribute in self.csv_columns]
        return stream_csv(str(self.opts.verbose_name_plural), header, self._rows(listed.queryset))

    def _rows(self, queryset: Any) -> Iterator[list[object]]:
        for row in queryset.iterator(CHUNK):
            yield [_found(row, attribute) for _name, attribute in self.csv_columns]


def log_export(request: HttpRequest, what: str) -> None:
    """Write who took what out of the admin."""
    assert isinstance(request.user, User)
    services.record_event(Event.LIST_EXPORTED, actor=request.user, data={"list": what})


def _found(row: Any, attribute: str) -> object:
    for name in attribute.split("."):
        row = getattr(row, name, None)
    return row
