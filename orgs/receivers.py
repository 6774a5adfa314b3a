from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.apps import apps as installed_apps
from django.apps.registry import Apps
from django.db.models.signals import post_migrate
from django.dispatch import receiver

from orgs import services


@receiver(post_migrate)
def plant_tiers(sender: AppConfig, using: str, apps: Apps = installed_apps, **kwargs: Any) -> None:
    """Plant after each migrate: databases made without migrations, and flushed ones, need it.

    `apps` is what a migration ended in: on the way down there is no such table. A flush gives
    none.
    """
    if sender.name == "orgs" and "tier" in apps.all_models["orgs"]:
        services.plant_tiers(using=using)
