"""Deleting one's own account, the way back, and erasing who a deleted person was."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts import rights
from accounts import services as accounts
from accounts.events import Event
from accounts.models import User
from orgs import clock, emails
from orgs.models import (
    Invitation,
    Organization,
    OwnershipTransferRequest,
    SoftDeletion,
    UserRoleAssignment,
)
from orgs.seats import seats_of
from orgs.services.allowed import locked_with_organization, require_staff
from orgs.services.closing import close_for_good
from orgs.services.deletion import NotDeleted, bring_back, open_deletion, take_away
from orgs.services.membership import detach
from orgs.services.ownership import ReasonMissing

ERASE = "orgs.erase_person"
# For so long a person can come back, and staff can change their mind.
COME_BACK_WITHIN = timedelta(days=30)
# So many people are erased in one transaction.
BATCH = 200

# What is stored is no translation.
OWN_WISH = "Their own wish."
ERASED = "Erased."


class DevelopersAskColleagues(Exception):
    """Our own staff do not delete themselves: a colleague does it, and knows of it."""

    def __str__(self) -> str:
        return str(_("You are one of our own. Ask a colleague: they delete you in the admin."))


class AlreadyToErase(Exception):
    """It is arranged already when the person's data are erased."""

    def __str__(self) -> str:
        return str(_("The erasure of this person's data is arranged already."))


class CannotComeBack(Exception):
    """The time to come back is over, or it was not the person who deleted the account."""


@transaction.atomic
def delete_own_account(*, user: User, now: datetime, closing_own: bool = False) -> SoftDeletion:
    """Delete the account of whoever asks, at their own wish; they can come back for 30 days.

    They are soft-deleted at once, and told by mail until when and how they can come back. Then
    `erase_deleted_people` erases who they were. With `closing_own`, an organization in which the
    person is alone is closed for good in the same transaction. Raises DevelopersAskColleagues,
    AlreadyDeleted, accounts.services.OwnsOrganization, and what `close_for_good` raises.
    """
    if user.is_developer:
        raise DevelopersAskColleagues
    own = user.owned_organizations.first() if closing_own else None
    if own is not None:
        close_for_good(organization=own, by=user, now=now)
    _organization, user = locked_with_organization(user)
    deletion = take_away(user, by=user, reason=OWN_WISH, now=now)
    _schedule(deletion, user, by=user, now=now)
    # Robust: a mail server that is down keeps nobody here; staff can restore them.
    transaction.on_commit(lambda: emails.send_account_deleted(deletion), robust=True)
    return deletion


@transaction.atomic
def request_erasure(*, user: User, by: User, reason: str, now: datetime) -> SoftDeletion:
    """Have the data of somebody who is deleted erased in 30 days. Restoring them calls it off.

    Raises NotAllowed, ReasonMissing, NotDeleted, AlreadyToErase, and
    accounts.services.PersonErased.
    """
    _organization, user = locked_with_organization(user)
    require_staff(by, ERASE)
    if not reason.strip():
        raise ReasonMissing
    deletion = open_deletion(user)
    if user.erase_after is not None:
        raise AlreadyToErase
    deletion.erasure_reason = reason.strip()
    deletion.save(update_fields=["erasure_reason"])
    _schedule(deletion, user, by=by, now=now)
    return deletion


@transaction.atomic
def come_back(*, deletion: SoftDeletion, now: datetime) -> User:
    """Undo that a person deleted their own account, within the 30 days.

    They are as they were. Where their organization is closed or full, they come back without it.
    The caller has seen that it is them. Raises CannotComeBack, NotDeleted, and
    accounts.services.PersonErased.
    """
    organization, user = locked_with_organization(deletion.user)
    current = open_deletion(user)
    if current.pk != deletion.pk:
        raise NotDeleted
    if not can_come_back(current, user, now):
        raise CannotComeBack
    if organization is not None and not takes_back(organization):
        detach(user, organization, Event.MEMBER_LEFT, by=user, now=now)
    bring_back(user, current, by=user, now=now)
    return user


def can_come_back(deletion: SoftDeletion, user: User, now: datetime) -> bool:
    """Whether it is the person's own deletion, and early enough to undo it."""
    return deletion.is_own and user.erase_after is not None and now < user.erase_after


def takes_back(organization: Organization) -> bool:
    """Whether somebody who comes back finds a seat here, and a team that is not closed."""
    tier = organization.tier_at(clock.now())
    return organization.closed_at is None and seats_of(organization, tier).is_one_free


def erase_deleted_people(*, now: datetime) -> int:
    """Erase everybody whose 30 days are over; return how many.

    In transactions of bounded size, so that it can be killed and run again at any moment: whoever
    is erased is so altogether. What was restored meanwhile is left alone.
    """
    erased = 0
    while batch := _erase_some(now):
        erased += batch
    return erased


def _schedule(deletion: SoftDeletion, user: User, *, by: User, now: datetime) -> None:
    user.erase_after = now + COME_BACK_WITHIN
    user.save(update_fields=["erase_after"])
    accounts.record_event(
        Event.ERASURE_REQUESTED,
        user=user,
        actor=by,
        organization_id=user.organization_id,
        data={"deletion": deletion.pk, "erase_after": user.erase_after.isoformat()},
    )


@transaction.atomic
def _erase_some(now: datetime) -> int:
    due = User.objects.select_for_update(no_key=True).filter(erase_after__lte=now)
    batch = list(due.order_by("erase_after", "pk")[:BATCH])
    if batch:
        _erase(batch, now)
    return len(batch)


def _erase(people: list[User], now: datetime) -> None:
    """Erase the people, and what names them in the rows of this room."""
    # Which invitations are theirs is known by the address, which goes.
    keys = {person: list(_invitations(person)) for person in people}
    rights.erase_people(people=people, now=now)
    for person, invitations in keys.items():
        # Those that were accepted or taken back stay, and go on to name the same person.
        Invitation.objects.filter(pk__in=invitations).update(email=person.email)
    sent = [key for invitations in keys.values() for key in invitations]
    Invitation.objects.pending().filter(pk__in=sent).delete()
    deletions = SoftDeletion.objects.filter(user__in=people)
    deletions.update(reason=ERASED, grants=[])
    deletions.exclude(erasure_reason="").update(erasure_reason=ERASED)
    named = Q(new_owner__in=people) | Q(requested_by__in=people)
    OwnershipTransferRequest.objects.filter(named).update(reason=ERASED)
    roles = UserRoleAssignment.objects.not_revoked().filter(user__in=people)
    roles.update(revoked_at=now)
    for person in people:
        organization_id = person.organization_id
        accounts.record_event(Event.PERSON_ERASED, user=person, organization_id=organization_id)


def _invitations(person: User) -> QuerySet[Invitation, int]:
    return Invitation.objects.to_person(person).values_list("pk", flat=True)
