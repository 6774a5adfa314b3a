from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from accounts import services as accounts
from accounts.events import Event
from accounts.exports import written
from accounts.models import User
from orgs.models import Organization
from orgs.organization_export import ORGANIZATION
from orgs.services.ownership import NotOwner


def export_organization(*, organization: Organization, by: User, now: datetime) -> Iterator[str]:
    """Log that the owner takes a copy of what we hold of the organization, and return it as JSON.

    Also of a locked or closed one. It is read while it is sent, so each part is of the moment at
    which it was read. Raises NotOwner.
    """
    if not Organization.objects.filter(pk=organization.pk, owner=by).exists():
        raise NotOwner
    accounts.record_event(Event.ORGANIZATION_EXPORTED, actor=by, organization_id=organization.pk)
    return written(ORGANIZATION, organization, now)
