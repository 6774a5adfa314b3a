"""Which organizations the admin shows to whom (docs/rules.md, "Permissions").

Staff see all of them, or those that they were granted to see, or none. Who sees an organization
sees what belongs to it, and the rest of the admin is as if other organizations were not there.
"""

from __future__ import annotations

from functools import reduce
from typing import Any, ClassVar, TypeVar

from django.contrib.admin.options import BaseModelAdmin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from accounts.models import User
from orgs.models import Organization
from orgs.permissions import VIEW, seen_by, sees_all

Row = TypeVar("Row", bound=Model)

# Where the answer of `sees_any` is kept with the person, for as long as the request lasts.
SEES_ANY = "_sees_any_organization"


def sees_any(user: Any) -> bool:
    """Whether the admin shows them any organization. Its menu asks for each of its pages."""
    if not isinstance(user, User):
        return False
    if SEES_ANY not in user.__dict__:
        user.__dict__[SEES_ANY] = user.has_perm(VIEW) or seen_by(user).exists()
    return bool(user.__dict__[SEES_ANY])


class ScopedAdminMixin(BaseModelAdmin[Row]):
    """Rows of an organization: listed, opened and chosen within the scope of whoever asks.

    Stands before ModelAdmin, or before an inline of an organization.
    """

    # From a row to its organization; empty for organizations themselves.
    organization_path: ClassVar[str]
    # Rows of no organization are everybody's, and not for those alone who see all organizations.
    shows_built_in: ClassVar[bool] = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Row]:
        rows = super().get_queryset(request)
        assert isinstance(request.user, User)
        if request.user.has_perm(VIEW):
            return rows
        # Nothing is left out: there are no rows but of an organization, or built-in ones.
        if sees_all(request.user) and (self.shows_built_in or not self.organization_path):
            return rows
        path = self.organization_path or "pk"
        scoped = rows.filter(**{f"{path}__in": seen_by(request.user)})
        if not self.shows_built_in:
            return scoped
        built_in = rows.filter(**{f"{path}__isnull": True})
        # No OR, for the reason that LongListAdmin has.
        keys = [each.order_by().values("pk") for each in (scoped, built_in)]
        return rows.filter(pk__in=keys[0].union(keys[1]))

    def get_field_queryset(
        self, db: str | None, db_field: Any, request: HttpRequest
    ) -> QuerySet[Any] | None:
        """Offer and accept, for a key, what the admin's page of those rows would list."""
        related: type[Model] = db_field.remote_field.model
        if not self.admin_site.is_registered(related):
            return super().get_field_queryset(db, db_field, request)
        return self.admin_site.get_model_admin(related).get_queryset(request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return super().has_module_permission(request) or sees_any(request.user)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is None:
            return super().has_view_permission(request) or sees_any(request.user)
        return self.is_in_scope(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may = super().has_change_permission(request, obj)
        return may and (obj is None or self.is_in_scope(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may = super().has_delete_permission(request, obj)
        return may and (obj is None or self.is_in_scope(request, obj))

    def is_in_scope(self, request: HttpRequest, row: Model) -> bool:
        """Whether they see the organization of this row; an inline's row is the organization."""
        if request.user.has_perm(VIEW):
            return True
        organization: Any = row
        if not isinstance(row, Organization):
            organization = reduce(getattr, self.organization_path.split("__"), row)
        if organization is None:
            return self.shows_built_in and self.has_view_permission(request)
        return request.user.has_perm(VIEW, organization)
