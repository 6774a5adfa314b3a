"""What must hold of roles and of who holds them, and of people who were deleted or erased."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.db.models import Exists, OuterRef, Q

from accounts.models import User, UserType
from orgs.invariants import Invariants, checks, failing, named
from orgs.models import Grant, Role, RoleKind, SoftDeletion, UserRoleAssignment

INVARIANTS = Invariants()

# Longer than the daily command may be late.
ERASED_WITHIN = timedelta(days=2)

GIVE_AGAIN = "Delete the assignment, and give the role again where it is due."


@INVARIANTS.add(
    "I8",
    "A person holds a role once, as the kind of role that it is; none stands for ownership.",
    f"{GIVE_AGAIN} A role that is reported gets another key, or belongs to no organization.",
)
def _roles_held_otherwise(now: datetime) -> Iterator[str]:
    assignments = UserRoleAssignment.objects.all()
    before = assignments.active().filter(
        user=OuterRef("user_id"), role=OuterRef("role_id"), pk__lt=OuterRef("pk")
    )
    is_of_its_kind = Exists(Role.objects.filter(pk=OuterRef("role_id"), kind=OuterRef("kind")))
    is_sole = ~(Q(is_active=True) & Exists(before))
    is_whole = checks(
        UserRoleAssignment,
        "orgs_userroleassignment_kinds_agree",
        "orgs_userroleassignment_ends_once",
    )
    held = failing(assignments, is_of_its_kind & is_sole & is_whole)
    is_for_features = checks(
        Role, "orgs_role_ownership_is_none", "orgs_role_developers_roles_are_built_in"
    )
    roles = failing(Role.objects.all(), is_for_features)
    return named("assignment", held).union(named("role", roles), all=True).iterator()


@INVARIANTS.add(
    "I9",
    "A role is held where it belongs: by members of the organization, or by developers.",
    GIVE_AGAIN,
)
def _roles_held_elsewhere(now: datetime) -> Iterator[str]:
    """An organization's own role has never been held in another."""
    holder = User.objects.filter(pk=OuterRef("user_id"))
    is_member = Exists(holder.filter(organization=OuterRef("organization_id")))
    is_developer = Exists(holder.filter(user_type=UserType.DEVELOPER))
    by_type = Q(kind=RoleKind.DEVELOPER) & is_developer
    may_hold = Q(is_active=False) | Q(is_member) | by_type
    known = Role.objects.filter(pk=OuterRef("role_id"), scope=OuterRef("role_scope"))
    is_within_scope = checks(UserRoleAssignment, "orgs_userroleassignment_within_scope")
    is_at_home = Exists(known) & is_within_scope
    held = failing(UserRoleAssignment.objects.all(), may_hold & is_at_home)
    return named("assignment", held).iterator()


@INVARIANTS.add(
    "D1",
    "A person is deleted exactly while a soft deletion of theirs is open, and holds no role then.",
    "Delete the person softly, or restore them, in the admin; revoke the role that is reported.",
)
def _deleted_otherwise(now: datetime) -> Iterator[str]:
    is_open = Exists(SoftDeletion.objects.open().filter(user=OuterRef("pk")))
    is_deleted = Q(deleted_at__isnull=False)
    people = User.objects.filter(is_deleted & ~is_open | ~is_deleted & is_open)
    held = UserRoleAssignment.objects.active().filter(user__deleted_at__isnull=False)
    waiting = UserRoleAssignment.objects.not_revoked().filter(is_active=False)
    for_nothing = waiting.exclude(disabled_by__restored_at__isnull=True)
    assignments = named("assignment", held | for_nothing)
    return named("person", people).union(assignments, all=True).iterator()


@INVARIANTS.add(
    "D2",
    "Of who was erased nothing is left to know or log in by, and only who was deleted is.",
    "Delete what is left: addresses, second factors, groups and grants; then blank the person, as "
    "`accounts.rights.erase_people` does.",
)
def _erased_by_half(now: datetime) -> Iterator[str]:
    is_whole = checks(User, "accounts_user_erased_are_deleted", "accounts_user_erased_are_nobody")
    is_left = Q(groups__isnull=False) | Q(user_permissions__isnull=False)
    for rows in (EmailAddress, Authenticator, Grant):
        is_left |= Q(Exists(rows._default_manager.filter(user=OuterRef("pk"))))
    erased = User.objects.filter(erased_at__isnull=False)
    left = named("person", erased.filter(is_left).order_by())
    return left.union(named("person", failing(User.objects.all(), is_whole))).iterator()


@INVARIANTS.add(
    "D3",
    "Who is to be erased is erased within two days.",
    "Run `manage.py erase_deleted_people`, and see to it that it runs daily.",
)
def _not_erased(now: datetime) -> Iterator[str]:
    late = User.objects.filter(erase_after__lte=now - ERASED_WITHIN)
    return named("person", late).iterator()
