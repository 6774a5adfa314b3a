"""What the owner is told of an organization. Billing adds its part (accounts.exports)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import F

from accounts.exports import Facts, Part, rows
from accounts.models import UserEventLog
from orgs.models import Organization, Role

ORGANIZATION: list[Part[Organization]] = []
# Keys to organizations that no part answers for, each with the reason.
NOT_OF_ORGANIZATION: dict[str, str] = {}


def _organization(organization: Organization) -> Facts:
    facts = ("id", "name", "slug", "billing_email", "owner_id", "created_at", "closed_at")
    current = Organization.objects.filter(pk=organization.pk)
    told: Facts = current.values(*facts, "locked_from", tier_key=F("tier__key")).get()
    return told


def _people(organization: Organization) -> Iterator[dict[str, Any]]:
    """The team as its members see it: whoever left or was deleted is not on it."""
    return rows(organization.people(), "id", "email", "name", "is_active", "created_at")


def _roles(organization: Organization) -> Iterator[dict[str, Any]]:
    """The roles that its members can hold, with what they give."""
    usable = Role.objects.for_members_of(organization)
    gives: dict[int, list[str]] = {}
    for role, codename in usable.values_list("pk", "permissions__codename"):
        gives.setdefault(role, []).extend([codename] if codename else [])
    for each in rows(usable, "id", "key", "name", "organization_id"):
        yield {**each, "permissions": sorted(gives.get(each["id"], ()))}


def _assignments(organization: Organization) -> Iterator[dict[str, Any]]:
    facts = ("user_id", "role_id", "is_active", "assigned_by_id", "assigned_at")
    return rows(organization.role_assignments.all(), *facts, "revoked_by_id", "revoked_at")


def _grants(organization: Organization) -> Iterator[dict[str, Any]]:
    return rows(organization.grants.all(), "user_id", granted=F("permission__codename"))


def _invitations(organization: Organization) -> Iterator[dict[str, Any]]:
    facts = ("id", "email", "invited_by_id", "created_at", "expires_at", "accepted_at")
    return rows(organization.invitations.all(), *facts, "revoked_at")


def _transfers(organization: Organization) -> Iterator[dict[str, Any]]:
    facts = ("id", "from_owner_id", "to_owner_id", "reason", "created_at")
    return rows(organization.ownership_transfers.all(), *facts)


def _transfer_requests(organization: Organization) -> Iterator[dict[str, Any]]:
    facts = ("requested_by_id", "new_owner_id", "reason", "created_at", "closed_at")
    return rows(organization.ownership_transfer_requests.all(), *facts)


def _events(organization: Organization) -> Iterator[dict[str, Any]]:
    """Its log. From which address somebody did it is theirs, and not the owner's to know."""
    facts = ("id", "created_at", "event", "user_id", "actor_id", "data")
    return rows(UserEventLog.objects.filter(organization=organization), *facts)


ORGANIZATION += [
    Part("organization", _organization),
    Part("people", _people, ("accounts.User.organization",)),
    Part("roles", _roles, ("orgs.Role.organization",)),
    Part("role_assignments", _assignments, ("orgs.UserRoleAssignment.organization",)),
    Part("grants", _grants, ("orgs.Grant.content_object",)),
    Part("invitations", _invitations, ("orgs.Invitation.organization",)),
    Part("ownership_transfers", _transfers, ("orgs.OwnershipTransfer.organization",)),
    Part(
        "ownership_transfer_requests",
        _transfer_requests,
        ("orgs.OwnershipTransferRequest.organization",),
    ),
    Part("events", _events, ("accounts.UserEventLog.organization",)),
]
