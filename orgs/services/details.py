from __future__ import annotations

from django.db import transaction

from accounts import services as accounts
from accounts.events import Event
from accounts.models import User
from orgs.models import Organization
from orgs.signals import billing_details_changed

FIELDS = ("name", "slug", "billing_email")


def follow_address(*, person: User) -> None:
    """Have the bills of the organization that this person owns follow their new address."""
    for organization in person.owned_organizations.all():
        billing_details_changed.send(Organization, organization=organization)


def record_activity_export(*, organization: Organization, by: User) -> None:
    """Write down that somebody took the organization's lines away."""
    accounts.record_event(
        Event.ACTIVITY_EXPORTED, user=by, actor=by, organization_id=organization.pk
    )


@transaction.atomic
def change_details(
    *, organization: Organization, by: User, name: str, slug: str, billing_email: str
) -> None:
    """Change what the organization is called and where its bills go; Stripe follows.

    Raises ValidationError for a bad value.
    """
    current = Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
    wanted = dict(zip(FIELDS, (name, slug, billing_email), strict=True))
    changed = [field for field in FIELDS if getattr(current, field) != wanted[field]]
    if not changed:
        return
    for field in changed:
        setattr(current, field, wanted[field])
    current.full_clean()
    current.save(update_fields=changed)
    accounts.record_event(
        Event.ORGANIZATION_CHANGED,
        actor=by,
        organization_id=current.pk,
        data={"fields": changed},
    )
    billing_details_changed.send(Organization, organization=current)
