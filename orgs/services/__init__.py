"""Writes about organizations. Each is atomic, keyword-only, and leaves its line in the log."""

from orgs.services.founding import AlreadyMember, found_organization, sign_up
from orgs.services.invitations import (
    InvitationClosed,
    NotOwner,
    WrongPerson,
    accept_invitation,
    invite,
    join_as_new_person,
)
from orgs.services.planting import plant_tiers

__all__ = [
    "AlreadyMember",
    "InvitationClosed",
    "NotOwner",
    "WrongPerson",
    "accept_invitation",
    "found_organization",
    "invite",
    "join_as_new_person",
    "plant_tiers",
    "sign_up",
]
