from __future__ import annotations

import argparse
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from billing import services
from billing.gateway import BillingUnavailable


class Command(BaseCommand):
    help = "Make the Stripe account ready: products, prices, webhook endpoint. Safe to repeat."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--base-url",
            default=settings.BASE_URL,
            help="where Stripe reaches this product (default: BASE_URL)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.STRIPE_LIVE_MODE:
            raise CommandError("This is a live key, and this command makes test prices.")
        try:
            services.set_up_stripe(base_url=options["base_url"])
        except BillingUnavailable as error:
            raise CommandError(f"Stripe could not be set up: {error}") from error
        self.stdout.write("Stripe is set up: products, prices and the webhook endpoint.")
