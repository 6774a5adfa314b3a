from __future__ import annotations

from contextlib import nullcontext

from django.conf import settings
from django.core import signing
from django.template.loader import render_to_string
from django.urls import reverse

from accounts import mails
from accounts.models import User
from accounts.reader import reading_as
from orgs.models import Invitation, Organization, OwnershipTransfer, SoftDeletion

INVITATION_SALT = "orgs.invitation"
COME_BACK_SALT = "orgs.come_back"


def invitation_token(invitation: Invitation) -> str:
    """Return what the link carries: the invitation's id, signed. Its end is in the database."""
    return signing.dumps(invitation.pk, salt=INVITATION_SALT)


def invitation_id(token: str) -> int:
    """Return the id in a link. Raises django.core.signing.BadSignature when it is not ours."""
    return int(signing.loads(token, salt=INVITATION_SALT))


def send_invitation(invitation: Invitation) -> None:
    path = reverse("orgs:invitation", args=[invitation_token(invitation)])
    _send("invitation", invitation.email, invitation=invitation, url=f"{settings.BASE_URL}{path}")


def send_ownership_transferred(transfer: OwnershipTransfer) -> None:
    """Tell the former and the new owner, each in their own words."""
    for template, person in (
        ("ownership_given", transfer.from_owner),
        ("ownership_received", transfer.to_owner),
    ):
        if person is not None:
            url = f"{settings.BASE_URL}{reverse('home')}"
            _send(template, person.email, person, transfer=transfer, url=url)


def send_organization_closed(organization: Organization, person: User) -> None:
    url = f"{settings.BASE_URL}{reverse('home')}"
    _send("organization_closed", person.email, person, organization=organization, url=url)


def come_back_token(deletion: SoftDeletion) -> str:
    """Return what the way back carries: the deletion's id, signed. Its end is in the database."""
    return signing.dumps(deletion.pk, salt=COME_BACK_SALT)


def deletion_id(token: str) -> int:
    """Return the id in a link. Raises django.core.signing.BadSignature when it is not ours."""
    return int(signing.loads(token, salt=COME_BACK_SALT))


def send_account_deleted(deletion: SoftDeletion) -> None:
    """Tell whoever deleted their own account until when they can come back, and how."""
    path = reverse("orgs:come_back", args=[come_back_token(deletion)])
    url = f"{settings.BASE_URL}{path}"
    _send("account_deleted", deletion.user.email, deletion.user, person=deletion.user, url=url)


def _send(template: str, to: str, reader: User | None = None, **context: object) -> None:
    """Mail it in the reader's language and zone; in whoever's asks for it where there is none."""
    with reading_as(reader) if reader else nullcontext():
        subject = render_to_string(f"orgs/email/{template}_subject.txt", context)
        body = render_to_string(f"orgs/email/{template}.txt", context)
        mails.compose(subject, body, [to]).send()
