"""Soft delete and restore. Restoring brings back exactly what the deletion ended."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

from django.contrib.auth.models import Permission
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import services as accounts
from accounts.events import Event
from accounts.models import User
from orgs import clock
from orgs.models import Grant, Organization, Role, SoftDeletion, UserRoleAssignment
from orgs.services.allowed import locked_with_organization, require_staff
from orgs.services.ownership import ReasonMissing
from orgs.services.seats import require_seat

DELETE = "orgs.add_softdeletion"
RESTORE = "orgs.restore_person"

Choice = Literal["all", "none"] | Iterable[Role]


class AlreadyDeleted(Exception):
    """The person was soft-deleted before."""

    def __str__(self) -> str:
        return str(_("This person was deleted already."))


class NotDeleted(Exception):
    """There is nothing to restore."""

    def __str__(self) -> str:
        return str(_("This person is not deleted."))


@transaction.atomic
def soft_delete(*, user: User, by: User, reason: str) -> SoftDeletion:
    """Take a person out of every list and count, so that it can be undone exactly.

    They cannot come in any more, and take no seat. Their active roles and direct grants end; what
    was revoked before is left as it is. Raises NotAllowed, ReasonMissing, AlreadyDeleted, and
    accounts.services.OwnsOrganization.
    """
    _organization, user = locked_with_organization(user)
    require_staff(by, DELETE)
    if not reason.strip():
        raise ReasonMissing
    return take_away(user, by=by, reason=reason.strip(), now=timezone.now())


def take_away(user: User, *, by: User, reason: str, now: datetime) -> SoftDeletion:
    """Delete the person softly. The caller holds the locks, and has decided who may.

    Raises AlreadyDeleted, and accounts.services.OwnsOrganization.
    """
    if user.deleted_at is not None:
        raise AlreadyDeleted
    accounts.require_not_owner(user)
    grants = Grant.objects.filter(user=user)
    deletion = SoftDeletion.objects.create(
        user=user,
        by=by,
        reason=reason,
        deleted_at=now,
        was_active=user.is_active,
        grants=_listed(grants),
    )
    roles = UserRoleAssignment.objects.active().filter(user=user)
    ended = list(roles.values_list("pk", flat=True))
    roles.update(is_active=False, disabled_by=deletion)
    grants.delete()
    user.deleted_at, user.is_active = now, False
    user.save(update_fields=["deleted_at", "is_active"])
    accounts.end_sessions(user)
    _record(Event.PERSON_SOFT_DELETED, deletion, by, roles=ended, grants=deletion.grants)
    return deletion


@transaction.atomic
def restore(
    *, user: User, by: User, roles: Choice = "all", with_grants: bool = True
) -> SoftDeletion:
    """Undo a soft delete: the person is as they were, as active as they were.

    `roles` says which of the roles that the deletion ended come back; the others end for good.
    Direct grants come back too, but for "none" and without `with_grants`. What was revoked
    meanwhile stays revoked, and a person whose organization is gone comes back alone. An erasure
    that lay ahead is off. Raises NotAllowed, NotDeleted, NoSeatLeft, and
    accounts.services.PersonErased.
    """
    organization, user = locked_with_organization(user)
    require_staff(by, RESTORE)
    deletion = open_deletion(user)
    if organization is not None:
        require_seat(organization, clock.now())
    return bring_back(
        user, deletion, by=by, now=timezone.now(), roles=roles, with_grants=with_grants
    )


def open_deletion(user: User) -> SoftDeletion:
    """Return what deleted the person, locked. Raises NotDeleted, and PersonErased."""
    accounts.require_not_erased(user)
    deletion = SoftDeletion.objects.open().select_for_update().filter(user=user).first()
    if user.deleted_at is None or deletion is None:
        raise NotDeleted
    return deletion


def bring_back(
    user: User,
    deletion: SoftDeletion,
    *,
    by: User,
    now: datetime,
    roles: Choice = "all",
    with_grants: bool = True,
) -> SoftDeletion:
    """Undo this deletion. The caller holds the locks, and has found a seat."""
    user.deleted_at, user.is_active, user.erase_after = None, deletion.was_active, None
    user.save(update_fields=["deleted_at", "is_active", "erase_after"])
    deletion.restored_at, deletion.restored_by = now, by
    deletion.save(update_fields=["restored_at", "restored_by"])
    back = _bring_back_roles(deletion, roles)
    deletion.disabled_assignments.not_revoked().update(revoked_at=now, revoked_by=by)
    wanted = deletion.grants if with_grants and roles != "none" else []
    grants = _bring_back_grants(user, wanted)
    _record(Event.PERSON_RESTORED, deletion, by, roles=back, grants=grants)
    return deletion


def _bring_back_roles(deletion: SoftDeletion, chosen: Choice) -> list[int]:
    if chosen == "none":
        return []
    ended = deletion.disabled_assignments.not_revoked()
    if chosen != "all":
        ended = ended.filter(role__in=[role.pk for role in chosen])
    back = list(ended.values_list("pk", flat=True))
    ended.update(is_active=True, disabled_by=None)
    return back


def _bring_back_grants(user: User, wanted: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Grant again what can be: of a member, in their own organization alone."""
    back = []
    for each in wanted:
        app, _dot, codename = each["permission"].partition(".")
        permission = Permission.objects.filter(
            content_type__app_label=app, content_type__model="organization", codename=codename
        ).first()
        there = Organization.objects.filter(pk=each["organization"])
        if not user.is_developer:
            there = there.filter(members=user)
        organization = there.first()
        if permission is not None and organization is not None:
            Grant.objects.create(user=user, permission=permission, content_object=organization)
            back.append(each)
    return back


def _listed(grants: QuerySet[Grant]) -> list[dict[str, Any]]:
    rows = grants.values_list(
        "permission__content_type__app_label", "permission__codename", "content_object"
    )
    return [{"permission": f"{app}.{name}", "organization": key} for app, name, key in rows]


def _record(event: Event, deletion: SoftDeletion, by: User, **facts: Any) -> None:
    accounts.record_event(
        event,
        user=deletion.user,
        actor=by,
        organization_id=deletion.user.organization_id,
        data={"deletion": deletion.pk, **facts},
    )
