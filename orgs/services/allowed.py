"""What services about members begin with: lock whom it concerns, and ask who may."""

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


class GivesTooMuch(Exception):
    """Whoever gives or takes these permissions does not hold them all: `missing` names which."""

    def __init__(self, missing: set[str]) -> None:
        super().__init__(", ".join(sorted(missing)))
        self.missing = missing


def locked(organization_id: int) -> Organization:
    """Return the organization with its tier, locked until the transaction ends."""
    rows = Organization.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("tier").get(pk=organization_id)


def locked_person(user: User) -> User:
    """Return the person as they are now, locked until the transaction ends.

    Where an organization is locked too, it is locked before: everybody keeps this order.
    """
    return User.objects.select_for_update(no_key=True).get(pk=user.pk)


def locked_with_organization(user: User) -> tuple[Organization | None, User]:
    """Lock the person's organization as of now, if any, and then the person.

    Raises NotAMember when they go to another at this very moment.
    """
    organization = None
    current = User.objects.values_list("organization_id", flat=True).get(pk=user.pk)
    if current is not None:
        organization = locked(current)
    user = locked_person(user)
    if user.organization_id != current:
        raise NotAMember
    return organization, user


def require_permission(
    by: User, permission: str, organization: Organization, now: datetime
) -> User:
    """Raise NotAllowed unless the rows, as they are now, give it; return the person as read now."""
    person = User.objects.get(pk=by.pk)
    verdict = permissions.explain(person, permission, organization, now)
    if not verdict.allowed:
        raise NotAllowed(permission, verdict)
    return person


def require_staff(by: User, permission: str) -> User:
    """Raise NotAllowed unless they are staff who have this in the admin; return them as read now.

    `permission` is one of Django's own, as groups and user permissions give it.
    """
    person = User.objects.get(pk=by.pk)
    if not (person.is_present and person.is_staff and person.has_perm(permission)):
        raise NotAllowed(permission)
    return person


def require_holds(by: User, given: set[str], organization: Organization, now: datetime) -> None:
    """Raise GivesTooMuch where somebody would give or take what they do not hold themselves.

    The owner holds whatever the tier entitles, and superusers everything. `given` has permissions
    as `app.codename`.
    """
    if organization.owner_id == by.pk or by.is_superuser:
        return
    held = permissions.holdings(by, organization, now)
    missing = given - held.roles.keys() - held.grants
    if missing:
        raise GivesTooMuch(missing)
