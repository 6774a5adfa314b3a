"""An organization's own roles: made, changed and deleted where the tier entitles to them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.contrib.auth.models import Permission
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from accounts import services as accounts
from accounts.events import Event
from accounts.models import User
from orgs import permissions as answers
from orgs.models import Organization, Role, RoleKind
from orgs.models.roles import REFUSED_KEY
from orgs.services.allowed import GivesTooMuch, locked, require_holds, require_permission
from orgs.services.roles import WrongKind, permissions_of, record_revoked

CREATE = "orgs.create_roles"


@transaction.atomic
def create_role(
    *,
    organization: Organization,
    name: str,
    permissions: Collection[Permission],
    by: User,
    now: datetime,
) -> Role:
    """Make a role of the organization's own.

    Nobody puts into it what they do not hold; the owner, what the tier entitles. Raises
    NotAllowed, GivesTooMuch, and ValidationError for a name that cannot be.
    """
    organization = locked(organization.pk)
    by = require_permission(by, CREATE, organization, now)
    _require_may_put(by, permissions, organization, now)
    key = slugify(name).replace("-", "_")
    role = Role(key=key, name=name.strip(), kind=RoleKind.ORGANIZATION, organization=organization)
    _check(role)
    role.save()
    role.permissions.set(permissions)
    _record(Event.ROLE_CREATED, role, by)
    return role


@transaction.atomic
def change_role(
    *, role: Role, name: str, permissions: Collection[Permission], by: User, now: datetime
) -> None:
    """Change what one of the organization's own roles is called and gives, to all who hold it.

    Raises what `create_role` raises, WrongKind for a built-in role, and GivesTooMuch also where
    it gives more today than whoever changes it holds.
    """
    role, organization, by = _own(role, by, now)
    require_holds(by, permissions_of([role]), organization, now)
    _require_may_put(by, permissions, organization, now)
    role.name = name.strip()
    _check(role)
    role.save(update_fields=["name"])
    role.permissions.set(permissions)
    _record(Event.ROLE_CHANGED, role, by)


@transaction.atomic
def delete_role(*, role: Role, by: User, now: datetime) -> None:
    """Take one of the organization's own roles from all who hold it, and remove it.

    Raises NotAllowed, GivesTooMuch, and WrongKind for a built-in role.
    """
    role, organization, by = _own(role, by, now)
    require_holds(by, permissions_of([role]), organization, now)
    for assignment in role.assignments.not_revoked().select_related("user", "role"):
        record_revoked(assignment, by)
    role.assignments.all().delete()
    _record(Event.ROLE_DELETED, role, by)
    role.delete()


def _own(role: Role, by: User, now: datetime) -> tuple[Role, Organization, User]:
    """Lock the organization, and read the role as it is then."""
    if role.organization_id is None:
        raise WrongKind
    organization = locked(role.organization_id)
    by = require_permission(by, CREATE, organization, now)
    current = Role.objects.select_for_update().filter(pk=role.pk).first()
    if current is None:
        raise WrongKind
    return current, organization, by


def _require_may_put(
    by: User, chosen: Collection[Permission], organization: Organization, now: datetime
) -> None:
    names = {f"{each.content_type.app_label}.{each.codename}" for each in chosen}
    beyond = names - answers.holdings(by, organization, now).entitlements
    if beyond:
        raise GivesTooMuch(beyond)
    require_holds(by, names, organization, now)


def _check(role: Role) -> None:
    if role.key == REFUSED_KEY:
        raise ValidationError({"name": _("Ownership is not a role.")})
    if not role.key:
        raise ValidationError({"name": _("A name needs a letter or a digit.")})
    others = Role.objects.filter(organization=role.organization).exclude(pk=role.pk)
    if others.filter(name__iexact=role.name).exists() or others.filter(key=role.key).exists():
        raise ValidationError({"name": _("There is a role of this name already.")})
    role.full_clean()


def _record(event: Event, role: Role, by: User) -> None:
    accounts.record_event(
        event,
        actor=by,
        organization_id=role.organization_id,
        data={"role": role.pk, "key": role.key, "permissions": sorted(permissions_of([role]))},
    )
