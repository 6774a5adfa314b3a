from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.crypto import get_random_string
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from accounts import services as accounts
from accounts.events import Event
from accounts.models import User
from orgs.models import Organization
from orgs.signals import organization_founded

SLUG_LENGTH = 80
SLUG_SUFFIX_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


class AlreadyMember(Exception):
    """The person belongs to an organization already; one at a time is the rule."""


@transaction.atomic
def sign_up(
    *,
    email: str,
    password: str,
    name: str,
    organization_name: str,
    is_email_verified: bool = False,
) -> User:
    """Create a person and the organization that they own, or neither.

    Raises accounts.services.AddressTaken, and ValidationError for a bad field.
    """
    person = accounts.create_person(
        email=email, password=password, name=name, is_email_verified=is_email_verified
    )
    found_organization(name=organization_name, owner=person)
    return person


@transaction.atomic
def found_organization(*, name: str, owner: User) -> Organization:
    """Create an organization with its owner as the first member.

    Raises AlreadyMember when the person belongs to one, and ValidationError for a bad name or a
    person who may not own (docs/rules.md, I2 and I3).
    """
    owner = User.objects.select_for_update().get(pk=owner.pk)
    if owner.is_developer or not owner.is_present:
        raise ValidationError(_("Only people who are active, and no developers, own a team."))
    if owner.organization_id is not None:
        raise AlreadyMember
    organization = Organization(name=name.strip(), slug=_free_slug(name), owner=owner)
    organization.full_clean()
    organization.save()
    owner.organization = organization
    owner.full_clean()
    owner.save(update_fields=["organization"])
    accounts.record_event(
        Event.ORGANIZATION_FOUNDED,
        user=owner,
        actor=owner,
        organization_id=organization.pk,
    )
    organization_founded.send(Organization, organization=organization)
    return organization


def _free_slug(name: str) -> str:
    """Return a slug nobody has; a random end settles both clashes and names without letters."""
    base = slugify(name)[: SLUG_LENGTH - 7].strip("-")
    if base and not Organization.objects.filter(slug=base).exists():
        return base
    suffix = get_random_string(6, SLUG_SUFFIX_ALPHABET)
    return f"{base}-{suffix}" if base else f"team-{suffix}"
