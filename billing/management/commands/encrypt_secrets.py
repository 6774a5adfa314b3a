from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.encryption import ADVICE
from billing import services


class Command(BaseCommand):
    help = "Encrypt secrets in the database with ENCRYPTION_KEY, after it was replaced."

    def handle(self, *args: Any, **options: Any) -> None:
        done, unreadable = services.encrypt_secrets()
        self.stdout.write(f"{done} secrets encrypted with the present key.")
        if unreadable:
            raise CommandError(f"Not read: {', '.join(unreadable)}. {ADVICE}")
