from __future__ import annotations

import logging
from smtplib import SMTPException

from django_tasks import task

from orgs import emails
from orgs.models import Organization

logger = logging.getLogger(__name__)


@task()
def tell_members_of_closing(organization_id: int) -> None:
    """Mail everybody of the team but the owner that it was closed, and until when that can be
    undone. One address that is refused keeps nobody else from hearing of it."""
    organization = Organization.objects.filter(pk=organization_id).select_related("owner").first()
    if organization is None or organization.closed_at is None:
        return
    members = organization.people().present().exclude(pk=organization.owner_id)
    for person in members.order_by("pk").iterator():
        try:
            emails.send_organization_closed(organization, person)
        except (SMTPException, OSError):
            logger.exception("Person %s was not told of the closing", person.pk)
