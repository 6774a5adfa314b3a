from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from accounts.admin import ReadOnlyAdminMixin
from orgs.models import Invitation, Organization, OwnershipTransfer, Tier


@admin.register(Tier)
class TierAdmin(admin.ModelAdmin[Tier]):
    list_display = ("name", "key", "rank", "is_offered", "seat_limit")
    ordering = ("rank",)
    filter_horizontal = ("entitlements",)

    def get_readonly_fields(self, request: HttpRequest, obj: Tier | None = None) -> tuple[str, ...]:
        return ("key",) if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Tier | None = None) -> bool:
        """Tiers are retired (`is_offered`), never deleted: organizations and prices name them."""
        return False


@admin.register(Organization)
class OrganizationAdmin(admin.ModelAdmin[Organization]):
    """An organization. Owner, tier, lock and Stripe customer are facts, not form fields."""

    list_display = ("name", "slug", "owner", "tier", "locked_from", "created_at")
    list_select_related = ("owner", "tier")
    list_filter = ("tier",)
    search_fields = ("name", "slug", "owner__email", "stripe_customer__id")
    ordering = ("-id",)
    show_full_result_count = False
    fields = (
        "name",
        "slug",
        "billing_email",
        "owner",
        "tier",
        "locked_from",
        "stripe_customer",
        "closed_at",
        "created_at",
    )
    readonly_fields = fields[3:]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Organization | None = None) -> bool:
        return False


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdminMixin, admin.ModelAdmin[Invitation]):
    list_display = ("email", "organization", "invited_by", "expires_at", "accepted_at")
    list_select_related = ("organization", "invited_by")
    search_fields = ("email", "organization__name")
    ordering = ("-id",)


@admin.register(OwnershipTransfer)
class OwnershipTransferAdmin(ReadOnlyAdminMixin, admin.ModelAdmin[OwnershipTransfer]):
    list_display = ("created_at", "organization", "from_owner", "to_owner", "performed_by")
    list_select_related = ("organization", "from_owner", "to_owner", "performed_by")
    ordering = ("-id",)
