"""What this room tells a person of themself (accounts.exports)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import F, Q

from accounts.exports import NOT_OF_PERSON, PERSON, Facts, Part, rows
from accounts.models import User
from orgs.models import (
    Grant,
    Invitation,
    Organization,
    OwnershipTransfer,
    OwnershipTransferRequest,
    SoftDeletion,
    UserRoleAssignment,
)

IN_THE_LOG = "what they did to others is told by the log's lines, of which they are the actor"


def _organization(person: User) -> Facts:
    theirs = Organization.objects.filter(members=person).values("id", "name", "slug", "owner_id")
    found = theirs.first()
    if found is None:
        return {}
    return {**found, "is_owner": found["owner_id"] == person.pk}


def _roles(person: User) -> Iterator[dict[str, Any]]:
    return rows(
        UserRoleAssignment.objects.filter(user=person),
        "organization_id",
        "is_active",
        "assigned_at",
        "revoked_at",
        key=F("role__key"),
        name=F("role__name"),
    )


def _grants(person: User) -> Iterator[dict[str, Any]]:
    theirs = Grant.objects.filter(user=person)
    return rows(theirs, organization_id=F("content_object_id"), granted=F("permission__codename"))


def _invitations_sent(person: User) -> Iterator[dict[str, Any]]:
    return rows(
        Invitation.objects.filter(invited_by=person),
        "organization_id",
        "email",
        "created_at",
        "expires_at",
        "accepted_at",
        "revoked_at",
    )


def _invitations_received(person: User) -> Iterator[dict[str, Any]]:
    return rows(
        Invitation.objects.to_person(person),
        "email",
        "created_at",
        "expires_at",
        "accepted_at",
        "revoked_at",
        organization_name=F("organization__name"),
    )


def _transfers(person: User) -> Iterator[dict[str, Any]]:
    named = OwnershipTransfer.objects.filter(Q(from_owner=person) | Q(to_owner=person))
    facts = ("organization_id", "from_owner_id", "to_owner_id", "reason", "created_at")
    return rows(named, *facts)


def _transfer_requests(person: User) -> Iterator[dict[str, Any]]:
    named = OwnershipTransferRequest.objects.filter(Q(new_owner=person) | Q(requested_by=person))
    facts = ("organization_id", "requested_by_id", "new_owner_id", "reason")
    return rows(named, *facts, "created_at", "closed_at")


def _deletions(person: User) -> Iterator[dict[str, Any]]:
    facts = ("deleted_at", "reason", "erasure_reason", "was_active", "grants", "restored_at")
    return rows(SoftDeletion.objects.filter(user=person), *facts)


PERSON += [
    Part("organization", _organization, ("orgs.Organization.owner",)),
    Part("roles", _roles, ("orgs.UserRoleAssignment.user",)),
    Part("grants", _grants, ("orgs.Grant.user",)),
    Part("invitations_sent", _invitations_sent, ("orgs.Invitation.invited_by",)),
    Part("invitations_received", _invitations_received),
    Part(
        "ownership_transfers",
        _transfers,
        ("orgs.OwnershipTransfer.from_owner", "orgs.OwnershipTransfer.to_owner"),
    ),
    Part(
        "ownership_transfer_requests",
        _transfer_requests,
        (
            "orgs.OwnershipTransferRequest.new_owner",
            "orgs.OwnershipTransferRequest.requested_by",
        ),
    ),
    Part("deletions", _deletions, ("orgs.SoftDeletion.user",)),
]
NOT_OF_PERSON |= dict.fromkeys(
    (
        "orgs.SoftDeletion.by",
        "orgs.SoftDeletion.restored_by",
        "orgs.UserRoleAssignment.assigned_by",
        "orgs.UserRoleAssignment.revoked_by",
        "orgs.OwnershipTransfer.performed_by",
    ),
    IN_THE_LOG,
)
