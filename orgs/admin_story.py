"""What an organization's page, and a person's, tell of each other in the admin: a few rows of
each kind, and the lists that have the rest."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone

from accounts.admin_base import SHOWN, seen
from accounts.models import User
from orgs.engagement import engagement_of
from orgs.models import (
    Grant,
    Invitation,
    Organization,
    OwnershipTransfer,
    OwnershipTransferRequest,
    SoftDeletion,
    UserRoleAssignment,
)


def ownership_section(request: HttpRequest, organization: Organization) -> str:
    """Tell who owned it before, and who wishes to hand it on."""
    transfers = seen(request, OwnershipTransfer).filter(organization=organization)
    wishes = seen(request, OwnershipTransferRequest).filter(organization=organization)
    context = {
        "organization": organization,
        "transfers": transfers.select_related("from_owner", "to_owner", "performed_by")[:SHOWN],
        "wishes": wishes.select_related("new_owner", "requested_by")[:SHOWN],
    }
    return render_to_string("admin/orgs/organization/_ownership.html", context, request)


def people_section(request: HttpRequest, organization: Organization) -> str:
    """Tell who is on the team, who was active, and who is invited."""
    invitations: Any = seen(request, Invitation).filter(organization=organization)
    context = {
        "organization": organization,
        "engagement": engagement_of(organization, timezone.now()),
        "invitations": invitations.pending()[:SHOWN],
    }
    return render_to_string("admin/orgs/organization/_engagement.html", context, request)


def membership_section(request: HttpRequest, person: User) -> str:
    """Tell of a person where they belong, what they own and hold, and what became of it."""
    roles = seen(request, UserRoleAssignment).filter(user=person)
    deletions = seen(request, SoftDeletion).filter(user=person)
    context = {
        "person": person,
        "owned": seen(request, Organization).filter(owner=person).first(),
        "roles": roles.select_related("role", "organization", "assigned_by")[:SHOWN],
        "grants": seen(request, Grant)
        .filter(user=person)
        .select_related("permission", "content_object")[:SHOWN],
        "deletions": deletions.select_related("by", "restored_by")[:SHOWN],
        "given": seen(request, OwnershipTransfer)
        .filter(from_owner=person)
        .select_related("organization", "to_owner")[:SHOWN],
        "received": seen(request, OwnershipTransfer)
        .filter(to_owner=person)
        .select_related("organization", "from_owner")[:SHOWN],
    }
    return render_to_string("admin/accounts/user/_membership.html", context, request)
