"""What staff change by the admin's own forms, written into the log with before and after."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin
from django.contrib.auth.models import Group
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from accounts import services
from accounts.events import Event
from accounts.models import User


class LoggedChangesMixin(admin.ModelAdmin[Any]):
    """An admin whose forms leave a line; stands before the others among the bases.

    The line names the row by model and key, and each field that was changed with its value before
    and after: keys for other rows. Of what is `withheld` it says only that it changed, because
    lines hold no names and addresses.
    """

    withheld: tuple[str, ...] = ()
    # Fields whose change is a service's to tell, by a line of its own.
    told_by_services: tuple[str, ...] = ()

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        changes = {
            field: None
            if field in self.withheld
            else [_plain(form.initial.get(field)), _plain(form.cleaned_data[field])]
            for field in form.changed_data
            if field not in self.told_by_services
        }
        if changes or not change:
            event = Event.ADMIN_CHANGED if change else Event.ADMIN_ADDED
            self._record(event, request, form.instance, changes)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        """Django asks for this before it deletes, in the same transaction."""
        for row in queryset:
            self._record(Event.ADMIN_DELETED, request, row, {})
        return super().log_deletions(request, queryset)

    def _record(
        self, event: Event, request: HttpRequest, row: Model, changes: dict[str, Any]
    ) -> None:
        assert isinstance(request.user, User)
        services.record_event(
            event,
            user=row if isinstance(row, User) else None,
            actor=request.user,
            organization_id=self.organization_id_of(row),
            data={"model": row._meta.label_lower, "key": row.pk, "changes": changes},
        )

    def organization_id_of(self, row: Any) -> int | None:
        """Whose activity page shows the line."""
        return getattr(row, "organization_id", None)


def _plain(value: Any) -> Any:
    """Return what JSON can hold: keys for rows, text for what it has no kind of."""
    if isinstance(value, Model):
        return value.pk
    if isinstance(value, (list, tuple, set, QuerySet)):
        return sorted(_plain(each) for each in value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value)


admin.site.unregister(Group)


@admin.register(Group)
class LoggedGroupAdmin(LoggedChangesMixin, GroupAdmin):
    """Groups give staff Django's permissions, so who changed one is told."""
