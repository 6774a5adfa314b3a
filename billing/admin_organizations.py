"""The admin's lists of organizations and people, with where each stands: orgs knows no standing."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from accounts.chips import in_a_row
from accounts.models import User
from billing.chips import standing_chip
from orgs import admin as orgs
from orgs import admin_people
from orgs.admin_links import organization_link
from orgs.chips import tier_chip
from orgs.models import Organization

for model in (Organization, User):
    admin.site.unregister(model)


@admin.register(Organization)
class OrganizationAdmin(orgs.OrganizationAdmin):
    list_select_related = ("owner", "tier", "standing")
    search_fields = (
        *orgs.OrganizationAdmin.search_fields,
        "standing__subscription__exact",
    )
    search_help_text = _(
        "The beginning of the name or slug, of the owner's name, or of a member's e-mail address; "
        "or cus_…, sub_…"
    )

    def chips(self, organization: Any) -> list[str | None]:
        standing = getattr(organization, "standing", None)
        return [standing_chip(standing), *super().chips(organization)]


@admin.register(User)
class UserAdmin(admin_people.UserAdmin):
    list_display = ("email", "last_active", "state", "team", "name", "user_type")
    list_select_related = ("organization__tier", "organization__standing")

    @admin.display(description=_("organization"))
    def team(self, person: Any) -> str:
        organization = person.organization
        if organization is None:
            return "-"
        standing = getattr(organization, "standing", None)
        chips = [standing_chip(standing), tier_chip(organization.tier)]
        return format_html("{} {}", organization_link(organization), in_a_row(chips))
