"""Writes about organizations. Each is atomic, keyword-only, and leaves its line in the log."""

from orgs.services.allowed import GivesTooMuch, NotAllowed
from orgs.services.details import change_details, follow_address
from orgs.services.founding import AlreadyMember, found_organization, sign_up
from orgs.services.grants import NotGrantable, grant_permission, revoke_permission
from orgs.services.invitations import (
    InvitationClosed,
    WrongPerson,
    accept_invitation,
    invite,
    join_as_new_person,
)
from orgs.services.ownership import (
    ActorNotAllowed,
    AlreadyOwner,
    IsDeleted,
    IsDeveloper,
    IsInactive,
    NotAMember,
    NotOwner,
    OrganizationClosed,
    OwnerChanged,
    ReasonMissing,
    RequestPending,
    TransferRefused,
    close_ownership_transfer_request,
    request_ownership_transfer,
    transfer_ownership,
)
from orgs.services.planting import plant_defaults
from orgs.services.roles import AlreadyHeld, NotHeld, WrongKind, assign_role, revoke_role

__all__ = [
    "ActorNotAllowed",
    "AlreadyHeld",
    "AlreadyMember",
    "AlreadyOwner",
    "GivesTooMuch",
    "InvitationClosed",
    "IsDeleted",
    "IsDeveloper",
    "IsInactive",
    "NotAMember",
    "NotAllowed",
    "NotGrantable",
    "NotHeld",
    "NotOwner",
    "OrganizationClosed",
    "OwnerChanged",
    "ReasonMissing",
    "RequestPending",
    "TransferRefused",
    "WrongKind",
    "WrongPerson",
    "accept_invitation",
    "assign_role",
    "change_details",
    "close_ownership_transfer_request",
    "follow_address",
    "found_organization",
    "grant_permission",
    "invite",
    "join_as_new_person",
    "plant_defaults",
    "request_ownership_transfer",
    "revoke_permission",
    "revoke_role",
    "sign_up",
    "transfer_ownership",
]
