from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from billing import services


class Command(BaseCommand):
    help = "Count revenue anew: what staff's page of it shows. Run it daily."

    def handle(self, *args: Any, **options: Any) -> None:
        noted = services.count_revenue(now=timezone.now())
        self.stdout.write(f"{noted} movements noted.")
