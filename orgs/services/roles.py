"""Giving and taking roles. Roles are for features only; ownership is none of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.contrib.auth.models import Permission
from django.db import transaction

from accounts import services as accounts
from accounts.events import Event
from accounts.models import User
from orgs.models import Organization, Role, RoleKind, UserRoleAssignment
from orgs.services.allowed import (
    locked_with_organization,
    require_holds,
    require_permission,
    require_staff,
)
from orgs.services.ownership import NotAMember

ASSIGN = "orgs.assign_roles"
# Developer roles are given by staff, in the admin.
ASSIGN_TO_DEVELOPERS = "orgs.add_userroleassignment"


class WrongKind(Exception):
    """The role is not for this kind of person, is another organization's own, or is gone."""


class AlreadyHeld(Exception):
    """The person holds this role, or has been granted this permission, already."""


class NotHeld(Exception):
    """The person does not hold this role, or has not been granted this permission."""


@transaction.atomic
def assign_role(*, user: User, role: Role, by: User, now: datetime) -> UserRoleAssignment:
    """Give a person a role: a member one of their organization, a developer one of staff's.

    Nobody gives what they do not hold themselves, but for the owner, who holds all that the tier
    entitles. Raises NotAllowed, GivesTooMuch, NotAMember, WrongKind and AlreadyHeld.
    """
    organization, user = locked_with_organization(user)
    role = _as_it_is_now(role)
    if not user.is_present:
        raise NotAMember
    if role.kind == RoleKind.DEVELOPER:
        if not user.is_developer:
            raise WrongKind
        organization = None
    elif organization is None:
        raise NotAMember
    elif role.organization_id not in {None, organization.pk}:
        raise WrongKind
    _require_may_change(role, organization, by, now)
    if UserRoleAssignment.objects.active().filter(user=user, role=role).exists():
        raise AlreadyHeld
    return write_assignment(user=user, role=role, organization=organization, by=by, now=now)


def write_assignment(
    *, user: User, role: Role, organization: Organization | None, by: User, now: datetime
) -> UserRoleAssignment:
    """Write the assignment and its line. Who calls holds the locks, and has decided."""
    assignment = UserRoleAssignment.objects.create(
        user=user,
        role=role,
        kind=role.kind,
        role_scope=role.scope,
        organization=organization,
        assigned_by=by,
        assigned_at=now,
    )
    _record(Event.ROLE_ASSIGNED, assignment, by)
    return assignment


@transaction.atomic
def revoke_role(*, user: User, role: Role, by: User, now: datetime) -> UserRoleAssignment:
    """Take a role from a person. Raises NotAllowed, GivesTooMuch and NotHeld.

    As with giving: nobody takes what they could not give. What a soft-deleted person held is taken
    too, so that restoring does not bring it back.
    """
    organization, user = locked_with_organization(user)
    role = _as_it_is_now(role)
    if role.kind == RoleKind.DEVELOPER:
        organization = None
    _require_may_change(role, organization, by, now)
    held = UserRoleAssignment.objects.not_revoked().filter(user=user, role=role)
    assignment = held.select_for_update().first()
    if assignment is None:
        raise NotHeld
    assignment.is_active = False
    assignment.revoked_by = by
    assignment.revoked_at = now
    assignment.save(update_fields=["is_active", "revoked_by", "revoked_at"])
    record_revoked(assignment, by)
    return assignment


def _as_it_is_now(role: Role) -> Role:
    """Read the role again: whoever loaded it may have waited. What changes from now on, the
    database refuses at commit."""
    try:
        return Role.objects.get(pk=role.pk)
    except Role.DoesNotExist:
        raise WrongKind from None


def _require_may_change(
    role: Role, organization: Organization | None, by: User, now: datetime
) -> None:
    if organization is None:
        require_staff(by, ASSIGN_TO_DEVELOPERS)
        return
    by = require_permission(by, ASSIGN, organization, now)
    require_holds(by, permissions_of([role]), organization, now)


def permissions_of(roles: Iterable[Role]) -> set[str]:
    """Return what these roles give, as `app.codename`."""
    found = Permission.objects.filter(roles__in=[role.pk for role in roles])
    names = found.values_list("content_type__app_label", "codename")
    return {f"{app}.{name}" for app, name in names}


def record_revoked(assignment: UserRoleAssignment, by: User) -> None:
    _record(Event.ROLE_REVOKED, assignment, by)


def _record(event: Event, assignment: UserRoleAssignment, by: User) -> None:
    accounts.record_event(
        event,
        user=assignment.user,
        actor=by,
        organization_id=assignment.organization_id,
        data={
            "assignment": assignment.pk,
            "role": assignment.role_id,
            "key": assignment.role.key,
        },
    )
