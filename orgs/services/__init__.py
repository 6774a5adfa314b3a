"""Writes about organizations. Each is atomic, keyword-only, and leaves its line in the log."""

from orgs.services.details import change_details, follow_address
from orgs.services.founding import AlreadyMember, found_organization, sign_up
from orgs.services.invitations import (
    InvitationClosed,
    NotOwner,
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

__all__ = [
    "ActorNotAllowed",
    "AlreadyMember",
    "AlreadyOwner",
    "InvitationClosed",
    "IsDeleted",
    "IsDeveloper",
    "IsInactive",
    "NotAMember",
    "NotOwner",
    "OrganizationClosed",
    "OwnerChanged",
    "ReasonMissing",
    "RequestPending",
    "TransferRefused",
    "WrongPerson",
    "accept_invitation",
    "change_details",
    "close_ownership_transfer_request",
    "follow_address",
    "found_organization",
    "invite",
    "join_as_new_person",
    "plant_defaults",
    "request_ownership_transfer",
    "sign_up",
    "transfer_ownership",
]
