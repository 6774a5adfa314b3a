from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from accounts.admin_base import LongListAdmin, ReadOnlyAdminMixin, actor_of
from accounts.admin_dates import DateFilter
from accounts.admin_log import LoggedChangesMixin
from accounts.chips import in_a_row
from orgs import admin_impersonation, admin_people, clock, services
from orgs.admin_activity import activity_csv_view, activity_view
from orgs.admin_deletions import SoftDeletionAdmin
from orgs.admin_links import organization_link
from orgs.admin_roles import GrantAdmin, RoleAdmin, UserRoleAssignmentAdmin
from orgs.admin_scope import ScopedAdminMixin
from orgs.admin_story import ownership_section, people_section
from orgs.admin_tiers import TierAdmin
from orgs.admin_transfer import transfer_view
from orgs.chips import organization_chips, tier_chip
from orgs.models import (
    Invitation,
    Organization,
    OwnershipTransfer,
    OwnershipTransferRequest,
)
from orgs.needs import locked_recently
from orgs.permissions import CHANGE
from orgs.services.ownership import PERMISSION

__all__ = [
    "GrantAdmin",
    "OrganizationAdmin",
    "RoleAdmin",
    "SoftDeletionAdmin",
    "TierAdmin",
    "UserRoleAssignmentAdmin",
    "admin_impersonation",
    "admin_people",
]


class LockFilter(admin.SimpleListFilter):
    title = _("lock")
    parameter_name = "lock"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("recent", _("Locked in the last 24 hours"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return locked_recently(queryset, clock.now()) if self.value() == "recent" else queryset


class FoundedFilter(DateFilter):
    title = _("founded")


@admin.register(Organization)
class OrganizationAdmin(
    LoggedChangesMixin, ScopedAdminMixin[Organization], LongListAdmin[Organization]
):
    """An organization. Owner, tier, lock and Stripe customer are facts, not form fields."""

    organization_path = ""
    withheld = ("name", "billing_email")
    change_form_template = "admin/orgs/organization/change_form.html"
    list_display = ("name", "state", "tier_chip", "owner", "created_at")
    list_select_related: ClassVar[Any] = ("owner", "tier")
    list_filter = ("tier", LockFilter, FoundedFilter)
    # Owners are members, so that members' addresses are owners', too.
    search_fields: ClassVar[Any] = (
        "name__istartswith",
        "slug__startswith",
        "owner__name__istartswith",
        "members__email__startswith",
        "stripe_customer__exact",
    )
    search_help_text = _(
        "The beginning of the name or slug, of the owner's name, or of a member's e-mail address; "
        "or cus_…"
    )
    ordering = ("-id",)
    # Higher rooms add theirs: each returns HTML for whoever asks, or nothing. Tools stand above the
    # page's form, sections in it.
    tools: ClassVar[list[Callable[[HttpRequest, Organization], str]]] = []
    sections: ClassVar[list[Callable[[HttpRequest, Organization], str]]] = [
        ownership_section,
        people_section,
    ]
    fields = (
        "state",
        "name",
        "slug",
        "billing_email",
        "owner",
        "tier",
        "locked_from",
        "customer",
        "closed_at",
        "created_at",
    )
    readonly_fields = ("state", *fields[4:])

    @admin.display(description=_("state"))
    def state(self, organization: Organization) -> str:
        return in_a_row(self.chips(organization)) or "-"

    def chips(self, organization: Organization) -> list[str | None]:
        """Return what its state is told with; higher rooms add to it."""
        return [*organization_chips(organization)]

    @admin.display(description=_("Stripe customer"))
    def customer(self, organization: Organization) -> str:
        return organization.stripe_customer_id or "-"

    @admin.display(description=_("tier"))
    def tier_chip(self, organization: Organization) -> str | None:
        return tier_chip(organization.tier)

    def get_urls(self) -> list[URLPattern]:
        pages: dict[str, tuple[str, Callable[..., HttpResponseBase]]] = {
            "<int:organization_id>/transfer/": ("transfer", transfer_view),
            "activity/": ("activity", activity_view),
            "activity/csv/": ("activity_csv", activity_csv_view),
        }
        urls = [
            path(address, self.admin_site.admin_view(view), name=f"orgs_organization_{name}")
            for address, (name, view) in pages.items()
        ]
        return [*urls, *super().get_urls()]

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        organization = context["original"]
        context["tools"] = [tool(request, organization) for tool in self.tools]
        context["sections"] = [section(request, organization) for section in self.sections]
        return super().render_change_form(request, context, *args, **kwargs)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is None:
            return super().has_change_permission(request)
        return self.is_in_scope(request, obj) and request.user.has_perm(CHANGE, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Organization | None = None) -> bool:
        return False

    def organization_id_of(self, row: Organization) -> int:
        return row.pk

    def save_model(self, request: HttpRequest, obj: Organization, form: Any, change: bool) -> None:
        services.change_details(
            organization=obj,
            by=actor_of(request),
            **{name: form.cleaned_data[name] for name in ("name", "slug", "billing_email")},
        )


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdminMixin, ScopedAdminMixin[Invitation], LongListAdmin[Invitation]):
    organization_path = "organization"
    list_display = ("email", "organization", "invited_by", "expires_at", "accepted_at")
    list_select_related = ("organization", "invited_by")
    search_fields = ("email__startswith", "organization__slug__startswith")
    search_help_text = _("The beginning of the e-mail address or of the organization's slug")
    ordering = ("-id",)


@admin.register(OwnershipTransfer)
class OwnershipTransferAdmin(
    ReadOnlyAdminMixin, ScopedAdminMixin[OwnershipTransfer], LongListAdmin[OwnershipTransfer]
):
    organization_path = "organization"
    list_display = ("created_at", "organization", "from_owner", "to_owner", "performed_by")
    list_select_related = ("organization", "from_owner", "to_owner", "performed_by")
    search_fields = ("organization__slug__startswith",)
    search_help_text = _("The beginning of the organization's slug")
    ordering = ("-id",)
    fields = (
        "organization",
        "from_owner",
        "to_owner",
        "performed_by",
        "reason",
        "created_at",
        "all_of_this_organization",
    )
    readonly_fields = ("all_of_this_organization",)

    @admin.display(description=_("History"))
    def all_of_this_organization(self, transfer: OwnershipTransfer) -> str:
        url = reverse("admin:orgs_ownershiptransfer_changelist")
        return format_html(
            '<a href="{}?organization={}">{}</a>',
            url,
            transfer.organization_id,
            _("All transfers of this organization"),
        )


class PendingFilter(admin.SimpleListFilter):
    """The queue: what waits for staff, unless somebody asks for what is done."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("closed", _("Closed"))]

    def choices(self, changelist: Any) -> Any:
        first, *others = super().choices(changelist)
        return [first | {"display": _("Waiting")}, *others]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(closed_at__isnull=self.value() != "closed")


@admin.register(OwnershipTransferRequest)
class OwnershipTransferRequestAdmin(
    ReadOnlyAdminMixin,
    ScopedAdminMixin[OwnershipTransferRequest],
    admin.ModelAdmin[OwnershipTransferRequest],
):
    """The staff's queue. Each waiting line leads to the transfer that it asks for."""

    organization_path = "organization"
    list_display = ("whose", "answer", "new_owner", "requested_by", "reason", "created_at")
    list_display_links = None
    list_select_related = ("organization", "new_owner", "requested_by")
    list_filter = (PendingFilter,)
    ordering = ("id",)
    show_full_result_count = False
    actions = ("decline",)

    @admin.display(description=_("organization"))
    def whose(self, request: OwnershipTransferRequest) -> str:
        return organization_link(request.organization)

    @admin.display(description=_("answer"))
    def answer(self, request: OwnershipTransferRequest) -> Any:
        if request.closed_at is not None:
            return _("Closed")
        url = reverse("admin:orgs_organization_transfer", args=[request.organization_id])
        # The member whom the owner named may be gone; then staff choose.
        chosen = f"?to={request.new_owner_id}" if request.new_owner_id else ""
        return format_html('<a href="{}{}">{}</a>', url, chosen, _("Look at the transfer"))

    @admin.action(description=_("Decline the selected requests"), permissions=["decline"])
    def decline(self, request: HttpRequest, queryset: Any) -> None:
        try:
            for wish in queryset:
                services.close_ownership_transfer_request(
                    request=wish, by=actor_of(request), now=timezone.now()
                )
        except services.ActorNotAllowed as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
        else:
            self.message_user(request, _("Declined."), messages.SUCCESS)

    def has_decline_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(PERMISSION)
