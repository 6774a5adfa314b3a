"""Leaving a team, and being removed from it. What the person held there ends with it."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from accounts import services as accounts
from accounts.events import Event
from accounts.models import User
from orgs.models import Grant, Organization, UserRoleAssignment
from orgs.services.allowed import locked_with_organization, require_permission
from orgs.services.ownership import NotAMember

REMOVE = "orgs.remove_members"


@transaction.atomic
def leave_organization(*, user: User, now: datetime) -> None:
    """Take the person out of their organization, at their own wish, also from a locked one.

    Their roles and grants there end, and so do their sessions. Raises NotAMember, and
    accounts.services.OwnsOrganization.
    """
    organization, user = locked_with_organization(user)
    if organization is None or not user.is_present:
        raise NotAMember
    _take_out(user, organization, Event.MEMBER_LEFT, by=user, now=now)


@transaction.atomic
def remove_member(*, organization: Organization, user: User, by: User, now: datetime) -> None:
    """Take a person out of this organization. They keep their account.

    Their roles and grants there end, and so do their sessions. Raises NotAllowed, NotAMember, and
    accounts.services.OwnsOrganization.
    """
    current, user = locked_with_organization(user)
    if current is None or current.pk != organization.pk or user.deleted_at is not None:
        raise NotAMember
    require_permission(by, REMOVE, current, now)
    _take_out(user, current, Event.MEMBER_REMOVED, by=by, now=now)


def _take_out(
    user: User, organization: Organization, event: Event, *, by: User, now: datetime
) -> None:
    accounts.require_not_owner(user)
    detach(user, organization, event, by=by, now=now)


def detach(
    user: User, organization: Organization, event: Event, *, by: User | None, now: datetime
) -> None:
    """End what a person holds here and their sessions, and have them belong to no organization.

    The caller holds the locks on both, and has decided.
    """
    roles = UserRoleAssignment.objects.not_revoked().filter(user=user, organization=organization)
    grants = Grant.objects.filter(user=user, content_object=organization)
    ended = {
        "roles": list(roles.values_list("pk", flat=True)),
        "grants": list(grants.values_list("permission__codename", flat=True)),
    }
    roles.update(is_active=False, revoked_at=now, revoked_by=by)
    grants.delete()
    user.organization = None
    user.save(update_fields=["organization"])
    accounts.end_sessions(user)
    accounts.record_event(event, user=user, actor=by, organization_id=organization.pk, data=ended)
