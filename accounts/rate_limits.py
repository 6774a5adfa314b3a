"""Where allauth counts attempts: a cache that all server processes share, or the count is theirs
each, and as many times too high."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register
from django.core.management import call_command
from django.db.models.signals import post_migrate
from django.dispatch import receiver

# Of a file-based cache, two processes can hold one lock.
OF_ONE_PROCESS = ("locmem.LocMemCache", "filebased.FileBasedCache", "dummy.DummyCache")


@receiver(post_migrate)
def make_cache_table(sender: AppConfig, using: str, **kwargs: Any) -> None:
    """Make the table of a cache in the database, so that nobody must know of a command for it."""
    if sender.name == "accounts":
        call_command("createcachetable", database=using, verbosity=0)


@register(Tags.security, deploy=True)
def cache_is_shared(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Report a cache in which each server process counts attempts to log in for itself."""
    backend = settings.CACHES["default"]["BACKEND"]
    if not backend.endswith(OF_ONE_PROCESS):
        return []
    return [
        Warning(
            f"Attempts to log in are counted in {backend}, which server processes do not share.",
            hint="Leave CACHE_URL out, or set it to a Redis: redis://host:6379/0",
            id="accounts.W001",
        )
    ]
