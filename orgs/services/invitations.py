from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from accounts import services as accounts
from accounts.models import User, UserType
from orgs import emails
from orgs.models import Invitation, Organization
from orgs.services.allowed import locked, require_permission
from orgs.services.founding import AlreadyMember

INVITE = "orgs.invite_members"

VALID_FOR = timedelta(days=7)


class InvitationClosed(Exception):
    """The invitation was accepted or revoked, or has expired."""


class WrongPerson(Exception):
    """The invitation was sent to another address, or the person cannot be a member."""


@transaction.atomic
def invite(*, organization: Organization, email: str, by: User, now: datetime) -> Invitation:
    """Offer a seat to an address and mail the link, once the offer is stored.

    An open invitation to the same address is sent again, with a new end. Raises NotAllowed, and
    AlreadyMember when the address is a member's; an address that belongs to somebody elsewhere
    is not disclosed: they learn at the link that they would have to leave first.
    """
    organization = locked(organization.pk)
    require_permission(by, INVITE, organization, now)
    email = User.objects.normalize_email(email)
    if User.objects.filter(email=email, organization=organization).exists():
        raise AlreadyMember
    invitation = Invitation.objects.pending().filter(organization=organization, email=email).first()
    if invitation is None:
        invitation = Invitation(organization=organization, email=email)
    invitation.invited_by = by
    invitation.expires_at = now + VALID_FOR
    invitation.full_clean()
    invitation.save()
    accounts.record_event(
        "member_invited",
        actor=by,
        organization_id=organization.pk,
        data={"invitation": invitation.pk},
    )
    # Robust: a mail server that is down costs nobody the invitation; it can be sent again.
    transaction.on_commit(lambda: emails.send_invitation(invitation), robust=True)
    return invitation


@transaction.atomic
def accept_invitation(*, invitation: Invitation, person: User, now: datetime) -> None:
    """Make the person a member of the organization that invited them.

    Raises InvitationClosed, WrongPerson when it was sent to another address or to a developer,
    and AlreadyMember when they belong to an organization.
    """
    organization = Organization.objects.select_for_update(no_key=True).get(
        pk=invitation.organization_id
    )
    invitation = Invitation.objects.select_for_update().get(pk=invitation.pk)
    person = User.objects.select_for_update().get(pk=person.pk)
    if not invitation.is_open(now) or organization.closed_at is not None:
        raise InvitationClosed
    if person.email != invitation.email or person.user_type != UserType.MEMBER:
        raise WrongPerson
    if person.organization_id is not None:
        raise AlreadyMember
    person.organization = organization
    person.full_clean()
    person.save(update_fields=["organization"])
    invitation.accepted_at = now
    invitation.save(update_fields=["accepted_at"])
    accounts.record_event(
        "member_joined",
        user=person,
        actor=person,
        organization_id=organization.pk,
        data={"invitation": invitation.pk},
    )


@transaction.atomic
def join_as_new_person(*, invitation: Invitation, name: str, password: str, now: datetime) -> User:
    """Create the invited person and make them a member, or neither.

    The link proves the address, so it counts as confirmed. Raises InvitationClosed, and
    accounts.services.AddressTaken.
    """
    person = accounts.create_person(
        email=invitation.email, password=password, name=name, is_email_verified=True
    )
    accept_invitation(invitation=invitation, person=person, now=now)
    return person
