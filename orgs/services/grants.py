"""Direct grants: this person, this organization, this permission, without a role."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import Permission
from django.db import transaction

from accounts import services as accounts
from accounts.events import Event
from accounts.models import User
from orgs.models import Grant, Organization
from orgs.permissions import CHANGE, FEATURES, VIEW
from orgs.services.allowed import (
    NotAllowed,
    locked,
    locked_person,
    require_holds,
    require_permission,
    require_staff,
)
from orgs.services.ownership import NotAMember
from orgs.services.roles import ASSIGN, AlreadyHeld, NotHeld

# What our own staff need to give and to take what other developers hold.
GIVE_TO_DEVELOPERS, TAKE_FROM_DEVELOPERS = "orgs.add_grant", "orgs.delete_grant"
FOR_MEMBERS = FEATURES
# A developer who is granted to see an organization sees it in the admin (docs/rules.md,
# "Permissions").
FOR_DEVELOPERS = FEATURES | {VIEW, CHANGE}


class NotGrantable(Exception):
    """This is no permission in an organization, or none for this kind of person."""


@transaction.atomic
def grant_permission(
    *, user: User, permission: str, organization: Organization, by: User, now: datetime
) -> Grant:
    """Give a person one permission in one organization: a member in their own, a developer in any.

    `permission` is `app.codename`. The tier stays the ceiling. To a member, it is given by whoever
    may assign roles there and holds it themselves, the owner being free to; to a developer, by
    other staff who have Django's `orgs.add_grant` and see this organization. Raises NotGrantable,
    NotAllowed, GivesTooMuch, NotAMember and AlreadyHeld.
    """
    organization = locked(organization.pk)
    user = locked_person(user)
    if permission not in (FOR_DEVELOPERS if user.is_developer else FOR_MEMBERS):
        raise NotGrantable(permission)
    _require_may_change(user, permission, organization, by, now, GIVE_TO_DEVELOPERS)
    is_member = user.organization_id == organization.pk
    if not user.is_present or not (user.is_developer or is_member):
        raise NotAMember
    row = Permission.objects.get(**_named(permission))
    if Grant.objects.filter(user=user, permission=row, content_object=organization).exists():
        raise AlreadyHeld
    grant: Grant = Grant.objects.create(user=user, permission=row, content_object=organization)
    _record(Event.PERMISSION_GRANTED, user, permission, organization, by)
    return grant


@transaction.atomic
def revoke_permission(
    *, user: User, permission: str, organization: Organization, by: User, now: datetime
) -> None:
    """Take one permission in one organization from a person, who may have left it since.

    From somebody soft-deleted too, so that restoring does not bring it back. As with giving, for
    developers by `orgs.delete_grant`. Raises NotAllowed, GivesTooMuch and
    NotHeld.
    """
    organization = locked(organization.pk)
    user = locked_person(user)
    _require_may_change(user, permission, organization, by, now, TAKE_FROM_DEVELOPERS)
    named = {f"permission__{field}": value for field, value in _named(permission).items()}
    grant = Grant.objects.filter(user=user, content_object=organization, **named).first()
    if grant is not None:
        grant.delete()
    elif not _forget_ended(user, permission, organization):
        raise NotHeld
    _record(Event.PERMISSION_REVOKED, user, permission, organization, by)


def _forget_ended(user: User, permission: str, organization: Organization) -> bool:
    """Have restoring a soft-deleted person not bring this grant back; say whether it would have."""
    deletion = user.soft_deletions.open().select_for_update().first()
    ended = {"permission": permission, "organization": organization.pk}
    if deletion is None or ended not in deletion.grants:
        return False
    deletion.grants.remove(ended)
    deletion.save(update_fields=["grants"])
    return True


def _require_may_change(
    user: User,
    permission: str,
    organization: Organization,
    by: User,
    now: datetime,
    needed_for_developers: str,
) -> None:
    if not user.is_developer:
        by = require_permission(by, ASSIGN, organization, now)
        require_holds(by, {permission}, organization, now)
        return
    by = require_staff(by, needed_for_developers)
    if by.pk == user.pk and not by.is_superuser:
        raise NotAllowed(needed_for_developers)
    # Or two of our own staff could widen each other's scope.
    require_permission(by, VIEW, organization, now)


def _named(permission: str) -> dict[str, str]:
    app, _dot, codename = permission.partition(".")
    return {"content_type__app_label": app, "codename": codename}


def _record(
    event: Event, user: User, permission: str, organization: Organization, by: User
) -> None:
    accounts.record_event(
        event,
        user=user,
        actor=by,
        organization_id=organization.pk,
        data={"permission": permission},
    )
