"""What services about members begin with: lock the organization, and ask whether they may."""

from __future__ import annotations

from datetime import datetime

from accounts.models import User
from orgs import permissions
from orgs.models import Organization
from orgs.services.ownership import NotAMember


class NotAllowed(Exception):
    """Whoever tries lacks the permission for it; `verdict` says why."""

    def __init__(self, permission: str, verdict: permissions.Verdict | None = None) -> None:
        super().__init__(f"{permission}: {verdict.leg if verdict else 'staff only'}")
        self.permission = permission
        self.verdict = verdict


def locked(organization_id: int) -> Organization:
    """Return the organization with its tier, locked until the transaction ends."""
    rows = Organization.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("tier").get(pk=organization_id)


def locked_with_organization(user: User) -> tuple[Organization | None, User]:
    """Lock the person's organization and then the person, in the order that everybody keeps.

    Raises NotAMember when they left it, or went to another, since they were loaded.
    """
    organization = None
    if user.organization_id is not None:
        organization = locked(user.organization_id)
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if user.organization_id != (organization.pk if organization else None):
        raise NotAMember
    return organization, user


def require_staff(by: User, permission: str) -> User:
    """Raise NotAllowed unless this is staff with Django's own permission, as they are now."""
    person = User.objects.get(pk=by.pk)
    if not (person.is_present and person.is_staff and person.has_perm(permission)):
        raise NotAllowed(permission)
    return person


def require_permission(
    by: User, permission: str, organization: Organization, now: datetime
) -> User:
    """Raise NotAllowed unless the rows, as they are now, give it; return the person as read now."""
    person = User.objects.get(pk=by.pk)
    verdict = permissions.explain(person, permission, organization, now)
    if not verdict.allowed:
        raise NotAllowed(permission, verdict)
    return person
