from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from accounts import services


class Command(BaseCommand):
    help = "Sum up who was active in the weeks that are over, and forget the oldest. Run it daily."

    def handle(self, *args: Any, **options: Any) -> None:
        weeks, rows = services.sum_up_activity(now=timezone.now())
        self.stdout.write(f"{weeks} weeks summed up, {rows} old rows removed.")
