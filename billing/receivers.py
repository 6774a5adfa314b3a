"""What billing does when something happens in orgs. Thin: each calls a service."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.apps import apps as installed_apps
from django.apps.registry import Apps
from django.db.models.signals import post_migrate
from django.dispatch import receiver

from billing import heard, services
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


@receiver(post_migrate)
def plant_prices(sender: AppConfig, using: str, apps: Apps = installed_apps, **kwargs: Any) -> None:
    """Plant after each migrate, as orgs does; its tiers are there by then."""
    model = apps.all_models["billing"].get("tierprice")
    # On the way up or down, the table may not be as it is now.
    if sender.name == "billing" and model is not None and hasattr(model, "amount"):
        services.plant_prices(using=using)


@receiver(post_migrate)
def install_index(
    sender: AppConfig, using: str, apps: Apps = installed_apps, **kwargs: Any
) -> None:
    """dj-stripe's table is not ours, so that no migration of ours can hold its index."""
    if sender.name == "billing" and "event" in apps.all_models["djstripe"]:
        heard.install_index(using)


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
