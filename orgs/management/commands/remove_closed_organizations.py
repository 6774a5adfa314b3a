from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from orgs import clock, services


class Command(BaseCommand):
    help = "Remove organizations that were closed 30 days ago or longer. Run it daily."

    def handle(self, *args: Any, **options: Any) -> None:
        removed, waiting = services.remove_closed_organizations(now=clock.now())
        self.stdout.write(f"{removed} removed, {waiting} waiting because Stripe still bills them.")
