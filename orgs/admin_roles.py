"""Roles in the admin: what each holds, and who holds them. Staff give and take by the services."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext_lazy as _

from accounts.admin import ReadOnlyAdminMixin, actor_of
from orgs import clock, services
from orgs.models import Grant, Role, UserRoleAssignment


@admin.register(Role)
class RoleAdmin(ReadOnlyAdminMixin, admin.ModelAdmin[Role]):
    list_display = ("name", "key", "kind", "organization")
    list_filter = ("kind",)
    list_select_related = ("organization",)
    search_fields = ("key", "name", "organization__name", "organization__slug")
    ordering = ("organization", "kind", "name")
    show_full_result_count = False
    fields = ("name", "key", "kind", "organization", "permissions")


@admin.register(UserRoleAssignment)
class UserRoleAssignmentAdmin(admin.ModelAdmin[UserRoleAssignment]):
    """Who holds which role. Giving one adds a row; taking it ends the row, which stays."""

    list_display = ("user", "role", "organization", "is_active", "assigned_at", "assigned_by")
    list_filter = ("is_active", "kind")
    list_select_related = ("user", "role", "organization", "assigned_by")
    search_fields = ("user__email", "role__key", "organization__slug")
    ordering = ("-id",)
    show_full_result_count = False
    actions = ("take_away",)
    autocomplete_fields = ("user", "role")

    def get_fields(self, request: HttpRequest, obj: UserRoleAssignment | None = None) -> Any:
        if obj is None:
            return ("user", "role")
        return (*self.list_display, "revoked_at", "revoked_by")

    def has_change_permission(
        self, request: HttpRequest, obj: UserRoleAssignment | None = None
    ) -> bool:
        return False

    def has_delete_permission(
        self, request: HttpRequest, obj: UserRoleAssignment | None = None
    ) -> bool:
        return False

    def save_model(
        self, request: HttpRequest, obj: UserRoleAssignment, form: Any, change: bool
    ) -> None:
        assigned = services.assign_role(
            user=obj.user, role=obj.role, by=actor_of(request), now=clock.now()
        )
        obj.pk = assigned.pk

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except (
            services.AlreadyHeld,
            services.GivesTooMuch,
            services.NotAMember,
            services.NotAllowed,
            services.WrongKind,
        ) as refusal:
            messages.error(request, _why(refusal))
            return HttpResponseRedirect(request.get_full_path())

    @admin.action(description=_("Take these roles away"), permissions=["add"])
    def take_away(self, request: HttpRequest, chosen: QuerySet[UserRoleAssignment]) -> None:
        taken = 0
        for assignment in chosen.filter(is_active=True).select_related("user", "role"):
            try:
                services.revoke_role(
                    user=assignment.user,
                    role=assignment.role,
                    by=actor_of(request),
                    now=clock.now(),
                )
            except (services.GivesTooMuch, services.NotAllowed, services.NotHeld) as refusal:
                messages.error(request, f"{assignment}: {_why(refusal)}")
            else:
                taken += 1
        messages.success(request, _("%(number)s taken away.") % {"number": taken})


def _why(refusal: Exception) -> str:
    words = {
        services.AlreadyHeld: _("This person holds this role already."),
        services.GivesTooMuch: _("The role holds more than your own roles do."),
        services.NotAMember: _("This person is not an active member of an organization."),
        services.NotAllowed: _("You may not give or take this role."),
        services.NotHeld: _("This person does not hold this role any more."),
        services.WrongKind: _("This role is not for this person."),
    }
    return str(words[type(refusal)])


@admin.register(Grant)
class GrantAdmin(ReadOnlyAdminMixin, admin.ModelAdmin[Grant]):
    list_display = ("user", "permission", "content_object")
    list_select_related = ("user", "permission__content_type", "content_object")
    search_fields = ("user__email", "permission__codename", "content_object__slug")
    ordering = ("-id",)
    show_full_result_count = False
