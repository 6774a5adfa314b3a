"""Handing an organization on: the owner asks, staff decide, and the row is the act."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts import services as accounts
from accounts.events import Event
from accounts.models import User
from orgs import emails
from orgs.models import Organization, OwnershipTransfer, OwnershipTransferRequest
from orgs.signals import billing_details_changed, ownership_transferred

PERMISSION = "orgs.transfer_ownership"


class NotOwner(Exception):
    """Only the organization's owner may do this."""


class TransferRefused(Exception):
    """Ownership cannot be transferred so; `message` says why, in words for whoever tried."""

    message: str | Promise = _("Ownership cannot be transferred so.")

    def __str__(self) -> str:
        return str(self.message)


class ActorNotAllowed(TransferRefused):
    message = _("Only staff with the permission to transfer ownership can do this.")


class ReasonMissing(TransferRefused):
    message = _("Say why: the reason is kept with the transfer.")


class OrganizationClosed(TransferRefused):
    message = _("A closed organization cannot be handed on. It has to be reopened first.")


class OwnerChanged(TransferRefused):
    message = _("The owner has changed in the meantime. Look again before you go on.")


class AlreadyOwner(TransferRefused):
    message = _("This person owns the organization already.")


class IsDeveloper(TransferRefused):
    message = _("Developers belong to no organization and cannot own one.")


class NotAMember(TransferRefused):
    message = _("This person is not a member of the organization. Invite them first.")


class IsDeleted(TransferRefused):
    message = _("This person has been deleted. Restore them first.")


class IsInactive(TransferRefused):
    message = _("This person is deactivated. Activate them first.")


class RequestPending(Exception):
    """The organization's owner has asked already, and staff have not answered yet."""


@transaction.atomic
def transfer_ownership(
    *,
    organization: Organization,
    new_owner: User,
    by: User,
    reason: str,
    keep_billing_email: bool = False,
) -> OwnershipTransfer:
    """Make another member the owner, for ever on record. Inserting that record is the act.

    `organization` is as the actor saw it: if its owner is another by now, OwnerChanged tells
    them. `billing_email` is cleared, so that bills go to the new owner, unless it is kept. Both
    people get a mail once it is committed. Raises a TransferRefused that says why.
    """
    current = Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
    new_owner = User.objects.select_for_update().get(pk=new_owner.pk)
    reason = reason.strip()
    _require_permission(by)
    if not reason:
        raise ReasonMissing
    if current.owner_id != organization.owner_id:
        raise OwnerChanged
    _require_eligible(current, new_owner)
    try:
        transfer = OwnershipTransfer.objects.create(
            organization=current,
            from_owner=current.owner,
            to_owner=new_owner,
            performed_by=by,
            reason=reason,
        )
    except IntegrityError as error:
        raise OwnerChanged from error
    current.refresh_from_db(fields=["owner"])
    if not keep_billing_email and current.billing_email:
        current.billing_email = ""
        current.save(update_fields=["billing_email"])
    _follow(transfer, current)
    return transfer


@transaction.atomic
def request_ownership_transfer(
    *, organization: Organization, new_owner: User, by: User, reason: str, now: datetime
) -> OwnershipTransferRequest:
    """Put the owner's wish into the staff's queue.

    Raises NotOwner, RequestPending, and TransferRefused where staff could not fulfil it.
    """
    current = Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
    if current.owner_id != by.pk:
        raise NotOwner
    if not reason.strip():
        raise ReasonMissing
    _require_eligible(current, new_owner)
    if current.ownership_transfer_requests.pending().exists():
        raise RequestPending
    request = OwnershipTransferRequest(
        organization=current,
        new_owner=new_owner,
        requested_by=by,
        reason=reason.strip(),
        created_at=now,
    )
    request.full_clean()
    request.save()
    accounts.record_event(
        Event.OWNERSHIP_TRANSFER_REQUESTED,
        user=new_owner,
        actor=by,
        organization_id=current.pk,
        data={"request": request.pk},
    )
    return request


@transaction.atomic
def close_ownership_transfer_request(
    *, request: OwnershipTransferRequest, by: User, now: datetime
) -> None:
    """Take a wish out of the queue unfulfilled: the owner withdraws it, or staff decline.

    Raises ActorNotAllowed. One that is closed already stays as it is.
    """
    request = OwnershipTransferRequest.objects.select_for_update().get(pk=request.pk)
    is_withdrawn = request.organization.owner_id == by.pk
    if not is_withdrawn:
        _require_permission(by)
    if request.closed_at is not None:
        return
    request.closed_at = now
    request.save(update_fields=["closed_at"])
    accounts.record_event(
        Event.OWNERSHIP_TRANSFER_WITHDRAWN if is_withdrawn else Event.OWNERSHIP_TRANSFER_DECLINED,
        user=request.new_owner,
        actor=by,
        organization_id=request.organization_id,
        data={"request": request.pk},
    )


def _require_permission(by: User) -> None:
    if not (by.is_present and by.is_staff and by.has_perm(PERMISSION)):
        raise ActorNotAllowed


def _require_eligible(organization: Organization, person: User) -> None:
    if organization.closed_at is not None:
        raise OrganizationClosed
    if person.pk == organization.owner_id:
        raise AlreadyOwner
    if person.is_developer:
        raise IsDeveloper
    if person.organization_id != organization.pk:
        raise NotAMember
    if person.deleted_at is not None:
        raise IsDeleted
    if not person.is_active:
        raise IsInactive


def _follow(transfer: OwnershipTransfer, organization: Organization) -> None:
    """Do what a transfer entails: the queue, the log, Stripe, and mails once it is committed."""
    organization.ownership_transfer_requests.pending().update(closed_at=transfer.created_at)
    for person, event in (
        (transfer.from_owner, Event.OWNERSHIP_GIVEN),
        (transfer.to_owner, Event.OWNERSHIP_RECEIVED),
    ):
        accounts.record_event(
            event,
            user=person,
            actor=transfer.performed_by,
            organization_id=organization.pk,
            data={"transfer": transfer.pk},
        )
    billing_details_changed.send(Organization, organization=organization)
    transaction.on_commit(lambda: emails.send_ownership_transferred(transfer), robust=True)
    transaction.on_commit(lambda: _announce(transfer), robust=True)


def _announce(transfer: OwnershipTransfer) -> None:
    ownership_transferred.send_robust(
        Organization, organization=transfer.organization, transfer=transfer
    )
