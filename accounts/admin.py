from __future__ import annotations

from typing import Any, ClassVar

from allauth.account import admin as allauth_admin
from allauth.account.models import EmailAddress
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import User, UserEventLog


class ReadOnlyAdminMixin:
    """Rows that are written elsewhere and only looked at in the admin."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(User)
class UserAdmin(admin.ModelAdmin[User]):
    """A person. What ties them to an organization changes by services, not by this form."""

    list_display = ("email", "name", "organization", "user_type", "is_active", "last_login")
    list_filter = ("user_type", "is_active", "is_staff")
    list_select_related = ("organization",)
    search_fields = ("email", "name")
    ordering = ("email",)
    show_full_result_count = False
    fields = (
        "email",
        "name",
        "organization",
        "user_type",
        "is_active",
        "is_staff",
        "is_superuser",
        "created_at",
        "last_login",
        "last_active",
        "deleted_at",
    )
    readonly_fields = tuple(name for name in fields if name != "name")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False


@admin.register(UserEventLog)
class UserEventLogAdmin(ReadOnlyAdminMixin, admin.ModelAdmin[UserEventLog]):
    list_display = ("created_at", "event", "user", "actor", "organization")
    list_select_related = ("user", "actor", "organization")
    list_filter = ("event",)
    search_fields: ClassVar[tuple[str, ...]] = ("event", "user__email", "organization__name")
    search_help_text = _("Event, the person's e-mail address or the organization's name")
    date_hierarchy = "created_at"
    ordering = ("-id",)
    show_full_result_count = False


# Who may confirm or replace an address here could log in as anybody.
assert allauth_admin
admin.site.unregister(EmailAddress)


@admin.register(EmailAddress)
class EmailAddressAdmin(ReadOnlyAdminMixin, admin.ModelAdmin[EmailAddress]):
    list_display = ("email", "user", "primary", "verified")
    list_select_related = ("user",)
    search_fields = ("email", "user__email")
    ordering = ("-id",)
    show_full_result_count = False
