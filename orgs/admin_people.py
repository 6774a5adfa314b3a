"""The admin's pages of accounts, which knows no organizations, within the scope of whoever asks."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.http import HttpRequest

from accounts import admin as accounts
from accounts.models import User, UserEventLog
from orgs.admin_scope import ScopedAdminMixin
from orgs.permissions import VIEW

for model in (User, UserEventLog, EmailAddress, Authenticator):
    admin.site.unregister(model)


@admin.register(User)
class UserAdmin(ScopedAdminMixin[User], accounts.UserAdmin):
    organization_path = "organization"

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What goes with a person may tell of an organization that they were in before."""
        to_delete, counts, needed, protected = super().get_deleted_objects(objs, request)
        if not request.user.has_perm(VIEW):
            to_delete = [person for person in to_delete if not isinstance(person, list)]
            counts = {self.opts.verbose_name_plural: len(to_delete)}
        return to_delete, counts, needed, protected


@admin.register(UserEventLog)
class UserEventLogAdmin(ScopedAdminMixin[UserEventLog], accounts.UserEventLogAdmin):
    organization_path = "organization"


@admin.register(EmailAddress)
class EmailAddressAdmin(ScopedAdminMixin[EmailAddress], accounts.EmailAddressAdmin):
    organization_path = "user__organization"


@admin.register(Authenticator)
class AuthenticatorAdmin(ScopedAdminMixin[Authenticator], accounts.AuthenticatorAdmin):
    organization_path = "user__organization"
