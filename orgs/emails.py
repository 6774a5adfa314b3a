from __future__ import annotations

from django.conf import settings
from django.core import signing
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse

from orgs.models import Invitation

INVITATION_SALT = "orgs.invitation"


def invitation_token(invitation: Invitation) -> str:
    """Return what the link carries: the invitation's id, signed. Its end is in the database."""
    return signing.dumps(invitation.pk, salt=INVITATION_SALT)


def invitation_id(token: str) -> int:
    """Return the id in a link. Raises django.core.signing.BadSignature when it is not ours."""
    return int(signing.loads(token, salt=INVITATION_SALT))


def send_invitation(invitation: Invitation) -> None:
    path = reverse("orgs:invitation", args=[invitation_token(invitation)])
    context = {"invitation": invitation, "url": f"{settings.BASE_URL}{path}"}
    send_mail(
        render_to_string("orgs/email/invitation_subject.txt", context).strip(),
        render_to_string("orgs/email/invitation.txt", context),
        None,
        [invitation.email],
    )
