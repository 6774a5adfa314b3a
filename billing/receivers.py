"""What billing does when something happens in orgs. Thin: each calls a service."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from billing import services
from orgs import clock
from orgs.models import Organization
from orgs.signals import (
    billing_details_changed,
    organization_closing,
    organization_founded,
    organization_removing,
)


@receiver(organization_founded)
def open_standing(sender: type[Organization], organization: Organization, **kwargs: Any) -> None:
    """Give a new organization its standing; the Stripe customer follows after commit."""
    services.open_standing(organization=organization)


@receiver(organization_closing)
def follow_closing(sender: type[Organization], organization: Organization, **kwargs: Any) -> None:
    services.follow_closing(organization=organization)


@receiver(organization_removing)
def follow_removal(sender: type[Organization], organization: Organization, **kwargs: Any) -> None:
    services.follow_removal(organization=organization)


@receiver(billing_details_changed)
def follow_at_stripe(sender: type[Organization], organization: Organization, **kwargs: Any) -> None:
    """Have e-mail and name follow at Stripe, and the former owner's open checkouts expire."""
    services.request_sync(organization_ids=[organization.pk], now=clock.now())
