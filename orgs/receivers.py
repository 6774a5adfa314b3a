from __future__ import annotations

from typing import Any

from allauth.account.signals import email_changed
from django.apps import AppConfig
from django.apps import apps as installed_apps
from django.apps.registry import Apps
from django.db import connections
from django.db.models.signals import post_migrate, pre_migrate
from django.dispatch import receiver

from accounts import name_search
from accounts.models import User
from orgs import services
from orgs.guards import installation
from orgs.models import Organization


@receiver(email_changed)
def follow_address(sender: type[User], user: User, **kwargs: Any) -> None:
    services.follow_address(person=user)


@receiver(pre_migrate)
def drop_guards(sender: AppConfig, using: str, **kwargs: Any) -> None:
    """SQLite cannot rebuild a table that a trigger names; PostgreSQL keeps its guards."""
    if sender.name == "orgs" and connections[using].vendor == "sqlite":
        installation.drop(connections[using])


@receiver(post_migrate)
def install_guards(sender: AppConfig, using: str, **kwargs: Any) -> None:
    if sender.name == "orgs":
        installation.install(connections[using])


@receiver(post_migrate)
def install_name_index(
    sender: AppConfig, using: str, apps: Apps = installed_apps, **kwargs: Any
) -> None:
    if sender.name == "orgs" and "organization" in apps.all_models["orgs"]:
        name_search.install_index(Organization, using)


@receiver(post_migrate)
def plant_defaults(
    sender: AppConfig, using: str, apps: Apps = installed_apps, **kwargs: Any
) -> None:
    """Plant after each migrate: databases made without migrations, and flushed ones, need it.

    `apps` is what a migration ended in: on the way down there are no such tables. A flush gives
    none.
    """
    if sender.name == "orgs" and {"tier", "role"} <= apps.all_models["orgs"].keys():
        services.plant_defaults(using=using)
