"""The admin's pages of accounts, which knows no organizations, within the scope of whoever asks."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from accounts import admin as accounts
from accounts import admin_events
from accounts.models import User, UserEventLog
from orgs.admin_scope import ScopedAdminMixin
from orgs.admin_story import membership_section
from orgs.models import Organization
from orgs.permissions import VIEW
from orgs.services.deletion import DELETE, RESTORE

for model in (User, EmailAddress, Authenticator):
    admin.site.unregister(model)


@admin.register(User)
class UserAdmin(ScopedAdminMixin[User], accounts.UserAdmin):
    organization_path = "organization"
    sections = (membership_section, *accounts.UserAdmin.sections)
    actions = (*accounts.UserAdmin.actions, "soft_delete", "restore")

    @admin.action(description=_("Delete softly: preview"), permissions=["soft_delete"])
    def soft_delete(self, request: HttpRequest, chosen: QuerySet[User]) -> HttpResponse | None:
        return self._lead_to("soft-delete", request, chosen)

    @admin.action(description=_("Restore: preview"), permissions=["restore"])
    def restore(self, request: HttpRequest, chosen: QuerySet[User]) -> HttpResponse | None:
        return self._lead_to("restore", request, chosen)

    def _lead_to(
        self, page: str, request: HttpRequest, chosen: QuerySet[User]
    ) -> HttpResponse | None:
        if len(people := chosen[:2]) == 1:
            return redirect(f"admin:accounts_user_{page}", people[0].pk)
        words = _("Choose one person: each has a preview, and a reason, of their own.")
        self.message_user(request, words, messages.ERROR)
        return None

    def has_soft_delete_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(DELETE)

    def has_restore_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(RESTORE)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What goes with a person may tell of an organization that they were in before."""
        to_delete, counts, needed, protected = super().get_deleted_objects(objs, request)
        if not request.user.has_perm(VIEW):
            to_delete = [person for person in to_delete if not isinstance(person, list)]
            counts = {self.opts.verbose_name_plural: len(to_delete)}
        return to_delete, counts, needed, protected


@admin.register(UserEventLog)
class UserEventLogAdmin(ScopedAdminMixin[UserEventLog], admin_events.UserEventLogAdmin):
    organization_path = "organization"

    def found(self, term: str) -> list[tuple[str, int]]:
        organizations = Organization.objects.filter(slug__startswith=term)
        keys = admin_events.first_keys(organizations)
        return [*super().found(term), *(("organization", key) for key in keys)]


@admin.register(EmailAddress)
class EmailAddressAdmin(ScopedAdminMixin[EmailAddress], accounts.EmailAddressAdmin):
    organization_path = "user__organization"


@admin.register(Authenticator)
class AuthenticatorAdmin(ScopedAdminMixin[Authenticator], accounts.AuthenticatorAdmin):
    organization_path = "user__organization"
