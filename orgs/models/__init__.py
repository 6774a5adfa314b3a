from orgs.models.clock import ClockShift
from orgs.models.deletions import SoftDeletion
from orgs.models.invitations import Invitation, InvitationQuerySet
from orgs.models.organizations import (
    FEATURES,
    REOPEN_WITHIN,
    Organization,
    OrganizationQuerySet,
    features,
)
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
    "FEATURES",
    "FREE_TIER_KEY",
    "REOPEN_WITHIN",
    "ClockShift",
    "Grant",
    "Invitation",
    "InvitationQuerySet",
    "Organization",
    "OrganizationQuerySet",
    "OwnershipTransfer",
    "OwnershipTransferRequest",
    "OwnershipTransferRequestQuerySet",
    "Role",
    "RoleKind",
    "RoleQuerySet",
    "SoftDeletion",
    "Tier",
    "TierQuerySet",
    "UserRoleAssignment",
    "UserRoleAssignmentQuerySet",
    "features",
]
