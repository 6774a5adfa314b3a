from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.dispatch import receiver

from orgs import services


@receiver(post_migrate)
def plant_tiers(sender: AppConfig, using: str, **kwargs: Any) -> None:
    """Plant after each migrate: databases made without migrations, and flushed ones, need it."""
    if sender.name == "orgs":
        services.plant_tiers(using=using)
