from orgs.models.clock import ClockShift
from orgs.models.invitations import Invitation, InvitationQuerySet
from orgs.models.organizations import Organization
from orgs.models.ownership import (
    OwnershipTransfer,
    OwnershipTransferRequest,
    OwnershipTransferRequestQuerySet,
)
from orgs.models.roles import (
    Grant,
    Role,
    RoleKind,
    RoleQuerySet,
    UserRoleAssignment,
    UserRoleAssignmentQuerySet,
)
from orgs.models.tiers import FREE_TIER_KEY, Tier, TierQuerySet

__all__ = [
    "FREE_TIER_KEY",
    "ClockShift",
    "Grant",
    "Invitation",
    "InvitationQuerySet",
    "Organization",
    "OwnershipTransfer",
    "OwnershipTransferRequest",
    "OwnershipTransferRequestQuerySet",
    "Role",
    "RoleKind",
    "RoleQuerySet",
    "Tier",
    "TierQuerySet",
    "UserRoleAssignment",
    "UserRoleAssignmentQuerySet",
]
