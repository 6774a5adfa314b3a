from __future__ import annotations

from importlib import import_module
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from orgs import services


class Command(BaseCommand):
    help = "Erase the people whose 30 days to come back are over. Run it daily."

    def handle(self, *args: Any, **options: Any) -> None:
        erased = services.erase_deleted_people(now=timezone.now())
        # Theirs have ended long ago, and some stores keep what has expired.
        import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
        self.stdout.write(f"{erased} erased.")
