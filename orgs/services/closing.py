"""Closing an organization, reopening it, and removing it for good. Billing goes first: whoever
closes has canceled what Stripe still bills (billing.services.close_organization)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from accounts import services as accounts
from accounts.events import Event
from accounts.models import User
from orgs.models import REOPEN_WITHIN, Organization
from orgs.services.allowed import locked
from orgs.services.membership import detach
from orgs.services.ownership import NotOwner
from orgs.signals import organization_closing, organization_removing
from orgs.tasks import tell_members_of_closing

# So many people are detached, or rows deleted, in one transaction.
BATCH = 200


class OrganizationIsClosed(Exception):
    """The organization is closed; its owner can reopen it."""


class NotClosed(Exception):
    """The organization is open."""


class TooLate(Exception):
    """The time in which the organization could be reopened is over."""


class StillBilled(Exception):
    """A subscription of the organization lives: it has to be canceled first."""


class HasOtherMembers(Exception):
    """Others are on the team, and would be out without notice."""


@transaction.atomic
def close_organization(*, organization: Organization, by: User, now: datetime) -> bool:
    """Close the owner's organization; say whether it is gone for good already.

    Members are refused from now on, and told by mail. For 30 days the owner can reopen it; then
    `remove_closed_organizations` removes it. An organization of nobody else goes at once. Raises
    NotOwner, OrganizationIsClosed and StillBilled.
    """
    current = _owned(organization, by)
    if current.closed_at is not None:
        raise OrganizationIsClosed
    _close(current, by, now)
    if not _others(current):
        _remove(current, now)
        return True
    transaction.on_commit(lambda: _tell_members(current), robust=True)
    return False


@transaction.atomic
def close_for_good(*, organization: Organization, by: User, now: datetime) -> None:
    """Remove an organization in which its owner is alone, closed or not, at once.

    Raises NotOwner, HasOtherMembers and StillBilled.
    """
    current = _owned(organization, by)
    if _others(current):
        raise HasOtherMembers
    if current.closed_at is None:
        _close(current, by, now)
    _remove(current, now)


@transaction.atomic
def reopen_organization(*, organization: Organization, by: User, now: datetime) -> None:
    """Let everybody in again, with what they held.

    Raises NotOwner, NotClosed, and TooLate when its removal is due.
    """
    current = _owned(organization, by)
    if current.closed_at is None:
        raise NotClosed
    if current.closed_at <= now - REOPEN_WITHIN:
        raise TooLate
    current.closed_at = None
    current.save(update_fields=["closed_at"])
    accounts.record_event(
        Event.ORGANIZATION_REOPENED, user=by, actor=by, organization_id=current.pk
    )


def remove_closed_organizations(*, now: datetime) -> tuple[int, int]:
    """Remove what was closed 30 days ago or longer; return how many, and how many must wait.

    Everybody is detached, the soft-deleted included, in transactions of bounded size, the owner in
    the last one. Log and transfers stay. An organization that Stripe still bills has to wait.
    """
    due = Organization.objects.filter(closed_at__lte=now - REOPEN_WITHIN)
    removed = waiting = 0
    for organization_id in list(due.order_by("closed_at").values_list("pk", flat=True)):
        try:
            _announce_removal(organization_id, now)
            while _empty_some(organization_id, now):
                pass
            removed += _remove_if_due(organization_id, now)
        except StillBilled:
            waiting += 1
    return removed, waiting


def _owned(organization: Organization, by: User) -> Organization:
    current = locked(organization.pk)
    if current.owner_id != by.pk:
        raise NotOwner
    return current


def _others(organization: Organization) -> int:
    return organization.people().exclude(pk=organization.owner_id).count()


def _close(organization: Organization, by: User, now: datetime) -> None:
    organization.closed_at = now
    organization.save(update_fields=["closed_at"])
    organization_closing.send(Organization, organization=organization)
    accounts.record_event(
        Event.ORGANIZATION_CLOSED, user=by, actor=by, organization_id=organization.pk
    )


def _tell_members(organization: Organization) -> None:
    tell_members_of_closing.enqueue(organization.pk)


def _due(organization_id: int, now: datetime) -> Organization | None:
    """Return the organization, locked, unless it was reopened or removed meanwhile."""
    rows = Organization.objects.select_for_update(no_key=True)
    return rows.filter(pk=organization_id, closed_at__lte=now - REOPEN_WITHIN).first()


@transaction.atomic
def _announce_removal(organization_id: int, now: datetime) -> None:
    organization = _due(organization_id, now)
    if organization is not None:
        organization_removing.send(Organization, organization=organization)


@transaction.atomic
def _empty_some(organization_id: int, now: datetime) -> int:
    """Detach some of the people but for the owner, then delete some rows; return how many."""
    organization = _due(organization_id, now)
    if organization is None:
        return 0
    others = organization.members.get_queryset().exclude(pk=organization.owner_id)
    return _detach_some(others, organization, now) or _delete_some(organization)


@transaction.atomic
def _remove_if_due(organization_id: int, now: datetime) -> bool:
    organization = _due(organization_id, now)
    if organization is None or _others(organization):
        return False
    _remove(organization, now)
    return True


def _remove(organization: Organization, now: datetime) -> None:
    """Delete the row, with what belongs to it. The owner, who cannot go before, goes with it."""
    organization_removing.send(Organization, organization=organization)
    while _detach_some(organization.members.get_queryset(), organization, now):
        pass
    while _delete_some(organization):
        pass
    accounts.record_event(
        Event.ORGANIZATION_DELETED,
        organization_id=organization.pk,
        data={"stripe_customer": organization.stripe_customer_id},
    )
    organization.delete()


def _detach_some(people: QuerySet[User], organization: Organization, now: datetime) -> int:
    batch = list(people.select_for_update(no_key=True).order_by("pk")[:BATCH])
    for person in batch:
        detach(person, organization, Event.ORGANIZATION_REMOVED, by=None, now=now)
    return len(batch)


def _delete_some(organization: Organization) -> int:
    """Delete some of what belongs to it; roles last, which their assignments protect."""
    for rows in (
        organization.role_assignments.all(),
        organization.grants.all(),
        organization.invitations.all(),
        organization.ownership_transfer_requests.all(),
        organization.roles.all(),
    ):
        keys = list(rows.values_list("pk", flat=True)[:BATCH])
        if keys:
            rows.filter(pk__in=keys).delete()
            return len(keys)
    return 0
