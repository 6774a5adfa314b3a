"""What a transfer of ownership would change, for staff to read before they decide. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from accounts.models import User
from orgs.models import Organization


@dataclass(frozen=True)
class Preview:
    """Sentences, in the order in which they matter."""

    former_owner: list[str]
    new_owner: list[str]
    stripe: list[str]


def preview_transfer(organization: Organization, new_owner: User, now: datetime) -> Preview:
    """Say what changes for both people and at Stripe, `billing_email` kept or not."""
    return Preview(
        former_owner=_for_former_owner(organization, now),
        new_owner=_for_new_owner(organization, now),
        stripe=_at_stripe(organization, new_owner),
    )


def _for_former_owner(organization: Organization, now: datetime) -> list[str]:
    sentences = [
        _("Stays a member of the team."),
        _("Can no longer change plan or payment, invite people or ask for a transfer."),
        _("Gets a mail about it."),
    ]
    if organization.is_locked(now):
        sentences.append(
            _("Is locked out at once, because billing is not resolved: only the owner gets in.")
        )
    return sentences


def _for_new_owner(organization: Organization, now: datetime) -> list[str]:
    sentences = [
        _("Owns the organization, and is answerable for its bills."),
        _("Can change plan and payment, invite people and ask for a transfer."),
        _("Cannot be deactivated, deleted or moved before the next transfer."),
        _("Gets a mail about it."),
    ]
    if organization.is_locked(now):
        sentences.append(_("Gets in although the organization is locked, to pay."))
    return sentences


def _at_stripe(organization: Organization, new_owner: User) -> list[str]:
    if organization.stripe_customer_id is None:
        return [_("There is no customer yet; it will be made with the new owner's address.")]
    facts = {
        "customer": organization.stripe_customer_id,
        "before": organization.email,
        "after": new_owner.email,
    }
    sentences = [
        _("The customer %(customer)s stays, with its subscription, cards and invoices.") % facts,
        _("Its e-mail address changes from %(before)s to %(after)s.") % facts,
        _("Checkouts that the former owner has open expire."),
    ]
    if organization.billing_email:
        sentences.append(
            _("The billing e-mail %(before)s is cleared, unless you keep it below.") % facts
        )
    return sentences
