"""Roles and direct grants in the admin: who holds what. Staff give and take by the services."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, TypeVar

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import Permission
from django.db.models import F, ForeignKey, Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.admin_base import (
    BY_PERSON_OR_ORGANIZATION,
    BY_PERSON_OR_ORGANIZATION_HELP,
    LongListAdmin,
    ReadOnlyAdminMixin,
    actor_of,
)
from accounts.models import User
from orgs import clock, services
from orgs.admin_scope import ScopedAdminMixin
from orgs.models import Grant, Role, UserRoleAssignment
from orgs.services.grants import FOR_DEVELOPERS, TAKE_FROM_DEVELOPERS

Row = TypeVar("Row", bound=Model)


@admin.register(Role)
class RoleAdmin(ReadOnlyAdminMixin, ScopedAdminMixin[Role], LongListAdmin[Role]):
    organization_path = "organization"
    shows_built_in = True
    list_display = ("label", "key", "kind", "organization")
    list_filter = (("organization", admin.EmptyFieldListFilter),)
    list_select_related = ("organization",)
    search_fields = ("key__startswith", "name__startswith", "organization__slug__startswith")
    search_help_text = _("The beginning of key, name or the organization's slug")
    # The built-in ones first.
    ordering = (F("organization_id").desc(nulls_first=True), "kind", "name")
    fields = ("label", "key", "kind", "organization", "permissions")
    readonly_fields = ("label",)

    @admin.display(description=_("name"))
    def label(self, role: Role) -> str:
        return role.label


class BuiltInRoleFilter(admin.SimpleListFilter):
    """By one of the roles that all organizations have; their own ones may be a million."""

    title = _("built-in role")
    parameter_name = "built_in"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        built_in = Role.objects.filter(organization=None).order_by("kind", "name")
        return [(role.pk, role.label) for role in built_in]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        # Of what was typed into the address, only what is offered counts.
        chosen = {str(key) for key, _name in self.lookup_choices} & {self.value()}
        return queryset.filter(role__in=chosen) if chosen else queryset


class HeldAdmin(ScopedAdminMixin[Row], LongListAdmin[Row]):
    """What people hold: one service adds a row and another ends it; none is edited."""

    # In words, what the two services refuse.
    refusals: ClassVar[dict[type[Exception], str | Promise]]
    ordering = ("-id",)
    actions = ("take_away",)
    search_help_text = BY_PERSON_OR_ORGANIZATION_HELP

    def give(self, row: Row, by: User, now: datetime) -> Row:
        raise NotImplementedError

    def take(self, row: Row, by: User, now: datetime) -> object:
        raise NotImplementedError

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_take_permission(self, request: HttpRequest) -> bool:
        return self.has_add_permission(request)

    def save_model(self, request: HttpRequest, obj: Row, form: Any, change: bool) -> None:
        obj.pk = self.give(obj, actor_of(request), clock.now()).pk

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except tuple(self.refusals) as refusal:
            messages.error(request, str(self.refusals[type(refusal)]))
            return HttpResponseRedirect(request.get_full_path())

    @admin.action(description=_("Take these away"), permissions=["take"])
    def take_away(self, request: HttpRequest, chosen: QuerySet[Row]) -> None:
        taken = 0
        for row in chosen:
            try:
                self.take(row, actor_of(request), clock.now())
            except tuple(self.refusals) as refusal:
                messages.error(request, f"{row}: {self.refusals[type(refusal)]}")
            else:
                taken += 1
        messages.success(request, _("%(number)s taken away.") % {"number": taken})


@admin.register(UserRoleAssignment)
class UserRoleAssignmentAdmin(HeldAdmin[UserRoleAssignment]):
    """Who holds which role. A row that was ended stays."""

    organization_path = "organization"
    list_display = ("user", "role", "organization", "is_active", "assigned_at", "assigned_by")
    list_filter = ("is_active", BuiltInRoleFilter)
    list_select_related = ("user", "role", "organization", "assigned_by")
    search_fields = BY_PERSON_OR_ORGANIZATION
    autocomplete_fields = ("user", "role")
    refusals: ClassVar[dict[type[Exception], str | Promise]] = {
        services.AlreadyHeld: _("This person holds this role already."),
        services.GivesTooMuch: _("The role holds more than your own roles do."),
        services.NotAMember: _("This person is not an active member of an organization."),
        services.NotAllowed: _("You may not give or take this role."),
        services.NotHeld: _("This person does not hold this role any more."),
        services.WrongKind: _("This role is not for this person."),
    }

    def get_fields(self, request: HttpRequest, obj: UserRoleAssignment | None = None) -> Any:
        if obj is None:
            return ("user", "role")
        return (*self.list_display, "revoked_at", "revoked_by")

    def give(self, row: UserRoleAssignment, by: User, now: datetime) -> UserRoleAssignment:
        return services.assign_role(user=row.user, role=row.role, by=by, now=now)

    def take(self, row: UserRoleAssignment, by: User, now: datetime) -> object:
        if not row.is_active:
            # The same role may have been given again since; that is another row.
            raise services.NotHeld
        return services.revoke_role(user=row.user, role=row.role, by=by, now=now)


class GrantForm(forms.ModelForm[Grant]):
    class Meta:
        # django-guardian's own fields are named in English alone.
        labels: ClassVar[dict[str, str | Promise]] = {
            "user": _("Person"),
            "permission": _("Permission"),
        }


@admin.register(Grant)
class GrantAdmin(HeldAdmin[Grant]):
    """Who was granted which permission where, without a role."""

    organization_path = "content_object"
    form = GrantForm
    list_display = ("person", "given", "content_object")
    list_select_related = ("user", "permission__content_type", "content_object")
    search_fields = ("user__email__startswith", "content_object__slug__startswith")
    autocomplete_fields = ("user", "content_object")
    fields = ("user", "content_object", "permission")
    refusals: ClassVar[dict[type[Exception], str | Promise]] = {
        services.AlreadyHeld: _("This person has this permission already."),
        services.GivesTooMuch: _("You do not hold this permission yourself."),
        services.NotAMember: _("This person is not an active member of this organization."),
        services.NotAllowed: _("You may not give or take this permission."),
        services.NotGrantable: _("This permission is not for this person."),
        services.NotHeld: _("This person does not have this permission any more."),
    }

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        if db_field.name == "permission":
            codenames = [each.partition(".")[2] for each in FOR_DEVELOPERS]
            kwargs["queryset"] = Permission.objects.filter(
                content_type__app_label="orgs", codename__in=codenames
            ).select_related("content_type")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    @admin.display(description=_("person"))
    def person(self, row: Grant) -> User:
        return row.user

    @admin.display(description=_("permission"))
    def given(self, row: Grant) -> Permission:
        return row.permission

    def has_take_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(TAKE_FROM_DEVELOPERS)

    def give(self, row: Grant, by: User, now: datetime) -> Grant:
        return services.grant_permission(**_named(row), by=by, now=now)

    def take(self, row: Grant, by: User, now: datetime) -> object:
        return services.revoke_permission(**_named(row), by=by, now=now)


def _named(grant: Grant) -> dict[str, Any]:
    app, codename = grant.permission.content_type.app_label, grant.permission.codename
    return {
        "user": grant.user,
        "permission": f"{app}.{codename}",
        "organization": grant.content_object,
    }
