from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction

from accounts import services as accounts
from accounts.events import Event
from accounts.models import User
from orgs import clock, emails
from orgs.models import Invitation, Organization, Role
from orgs.services.allowed import (
    GivesTooMuch,
    NotAllowed,
    locked,
    require_holds,
    require_permission,
)
from orgs.services.closing import OrganizationIsClosed, close_for_good
from orgs.services.founding import AlreadyMember
from orgs.services.roles import ASSIGN, WrongKind, permissions_of, write_assignment
from orgs.services.seats import require_seat

INVITE = "orgs.invite_members"

VALID_FOR = timedelta(days=7)


class InvitationClosed(Exception):
    """The invitation was accepted or revoked, or has expired."""


class WrongPerson(Exception):
    """The invitation was sent to another address, or the person cannot be a member."""


class OrganizationLocked(Exception):
    """Its billing has lapsed, so that nobody new can come in."""


class MemberDeleted(Exception):
    """The address is of somebody who was soft-deleted from this very team: staff can restore."""


@transaction.atomic
def invite(
    *,
    organization: Organization,
    email: str,
    by: User,
    now: datetime,
    roles: Sequence[Role] = (),
) -> Invitation:
    """Offer a seat to an address, with these roles, and mail the link once the offer is stored.

    An open invitation to the same address is sent again, with a new end and these roles instead.
    Raises NotAllowed; GivesTooMuch and WrongKind for a role; NoSeatLeft; and AlreadyMember or
    MemberDeleted when the address is of somebody on this team. An address that belongs to somebody
    elsewhere is not disclosed: they learn at the link that they would have to leave first.
    """
    organization = locked(organization.pk)
    by = require_permission(by, INVITE, organization, now)
    if roles:
        _require_may_give(roles, organization, by, now)
    email = User.objects.normalize_email(email)
    known = User.objects.filter(email=email, organization=organization).first()
    if known is not None:
        raise AlreadyMember if known.deleted_at is None else MemberDeleted
    require_seat(organization, clock.now())
    invitation = Invitation.objects.pending().filter(organization=organization, email=email).first()
    if invitation is None:
        invitation = Invitation(organization=organization, email=email)
    invitation.invited_by = by
    invitation.expires_at = now + VALID_FOR
    invitation.full_clean()
    invitation.save()
    invitation.roles.set(roles)
    _send(invitation, Event.MEMBER_INVITED, by)
    return invitation


@transaction.atomic
def resend_invitation(*, invitation: Invitation, by: User, now: datetime) -> Invitation:
    """Mail the link once more, with a new end. Raises NotAllowed, InvitationClosed, NoSeatLeft."""
    organization, invitation = _locked(invitation)
    require_permission(by, INVITE, organization, now)
    if not invitation.is_pending:
        raise InvitationClosed
    require_seat(organization, clock.now())
    invitation.expires_at = now + VALID_FOR
    invitation.save(update_fields=["expires_at"])
    _send(invitation, Event.INVITATION_RESENT, by)
    return invitation


@transaction.atomic
def revoke_invitation(*, invitation: Invitation, by: User, now: datetime) -> None:
    """Take an offer back: its link lets nobody in. Raises NotAllowed and InvitationClosed."""
    organization, invitation = _locked(invitation)
    require_permission(by, INVITE, organization, now)
    if not invitation.is_pending:
        raise InvitationClosed
    invitation.revoked_at = now
    invitation.save(update_fields=["revoked_at"])
    _record(Event.INVITATION_REVOKED, invitation, by)


@transaction.atomic
def accept_invitation(
    *, invitation: Invitation, person: User, now: datetime, closing_own: bool = False
) -> None:
    """Make the person a member of the organization that invited them, with the roles offered.

    The seat is taken here, under the organization's lock. A role that whoever invited may no
    longer give is withheld. With `closing_own`, an organization in which the person is alone is
    closed for good in the same transaction. Raises InvitationClosed; WrongPerson when it was sent
    to another address, to a developer or to somebody deleted; AlreadyMember when they belong to
    an organization; OrganizationIsClosed, OrganizationLocked, NoSeatLeft; and what
    `close_for_good` raises.
    """
    own_id = person.organization_id if closing_own else None
    _lock_in_order(invitation.organization_id, own_id)
    organization, invitation = _locked(invitation)
    if not invitation.is_open(now):
        raise InvitationClosed
    if organization.closed_at is not None:
        raise OrganizationIsClosed
    if organization.is_locked(clock.now()):
        raise OrganizationLocked
    if own_id is not None and own_id != organization.pk:
        close_for_good(organization=Organization.objects.get(pk=own_id), by=person, now=now)
    person = User.objects.select_for_update().get(pk=person.pk)
    if not person.is_present or person.email != invitation.email or person.is_developer:
        raise WrongPerson
    if person.organization_id is not None:
        raise AlreadyMember
    require_seat(organization, clock.now())
    person.organization = organization
    person.full_clean()
    person.save(update_fields=["organization"])
    invitation.accepted_at = now
    invitation.save(update_fields=["accepted_at"])
    _record(Event.MEMBER_JOINED, invitation, person, user=person)
    _give_offered_roles(invitation, organization, person, now)


@transaction.atomic
def join_as_new_person(*, invitation: Invitation, name: str, password: str, now: datetime) -> User:
    """Create the invited person and make them a member, or neither.

    The link proves the address, so it counts as confirmed. Raises what `accept_invitation` raises,
    and accounts.services.AddressTaken.
    """
    person = accounts.create_person(
        email=invitation.email, password=password, name=name, is_email_verified=True
    )
    accept_invitation(invitation=invitation, person=person, now=now)
    return person


def _locked(invitation: Invitation) -> tuple[Organization, Invitation]:
    organization = locked(invitation.organization_id)
    return organization, Invitation.objects.select_for_update().get(pk=invitation.pk)


def _lock_in_order(*organization_ids: int | None) -> None:
    """Lock the lower id first: of two owners who join each other's team, one waits."""
    for organization_id in sorted({each for each in organization_ids if each is not None}):
        locked(organization_id)


def _require_may_give(
    roles: Sequence[Role], organization: Organization, by: User, now: datetime
) -> None:
    require_permission(by, ASSIGN, organization, now)
    usable = Role.objects.for_members_of(organization).filter(pk__in=[role.pk for role in roles])
    if usable.count() != len(set(roles)):
        raise WrongKind
    require_holds(by, permissions_of(roles), organization, now)


def _give_offered_roles(
    invitation: Invitation, organization: Organization, person: User, now: datetime
) -> None:
    """Give what was offered, in the name of whoever invited, as far as they may give it today."""
    by = invitation.invited_by
    if by is None:
        return
    withheld = []
    for role in invitation.roles.all():
        try:
            _require_may_give([role], organization, by, now)
        except (NotAllowed, GivesTooMuch, WrongKind):
            withheld.append(role.pk)
        else:
            write_assignment(user=person, role=role, organization=organization, by=by, now=now)
    if withheld:
        _record(Event.OFFERED_ROLES_WITHHELD, invitation, None, user=person, roles=withheld)


def _send(invitation: Invitation, event: Event, by: User) -> None:
    _record(event, invitation, by)
    # Robust: a mail server that is down costs nobody the invitation; it can be sent again.
    transaction.on_commit(lambda: emails.send_invitation(invitation), robust=True)


def _record(
    event: Event,
    invitation: Invitation,
    by: User | None,
    *,
    user: User | None = None,
    **facts: object,
) -> None:
    accounts.record_event(
        event,
        user=user,
        actor=by,
        organization_id=invitation.organization_id,
        data={"invitation": invitation.pk, **facts},
    )
