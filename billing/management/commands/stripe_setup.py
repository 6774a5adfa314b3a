from __future__ import annotations

import argparse
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from billing import services
from billing.gateway import BillingUnavailable
from billing.services import Action, Step

PATIENCE = timedelta(seconds=30)


class Command(BaseCommand):
    help = (
        "Make the Stripe account ready: products and prices of the tiers in the database, the "
        "portal, the webhook endpoint; then prove that events arrive. Safe to repeat."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--base-url",
            default=settings.BASE_URL,
            help="where Stripe reaches this product (default: BASE_URL)",
        )
        parser.add_argument("--dry-run", action="store_true", help="print the plan, do nothing")
        parser.add_argument("--live", action="store_true", help="the key is a live one, as meant")
        parser.add_argument(
            "--renew-webhook-secret",
            action="store_true",
            help="replace the webhook endpoint by one with another secret; no event is missed",
        )
        parser.add_argument(
            "--no-proof", action="store_true", help="do not wait for an event to arrive"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        _require_meant_key(is_meant_live=options["live"])
        base_url: str = options["base_url"]
        done: list[Step] = []
        steps: list[Step] = []
        try:
            steps = services.plan_setup(
                base_url=base_url, renews_secret=options["renew_webhook_secret"]
            )
            self._print(steps)
            if options["dry_run"]:
                return
            services.carry_out(steps, on_step=done.append)
        except BillingUnavailable as error:
            raise CommandError(
                f"Stripe could not be set up: {error}. Of {len(steps)} steps the first {len(done)} "
                "were done; run it again to complete it."
            ) from error
        if all(step.action is Action.KEEP for step in steps):
            self.stdout.write("Nothing was to be done.")
        if not options["no_proof"]:
            self._prove(base_url)
        self.stdout.write("Stripe is set up.")

    def _print(self, steps: list[Step]) -> None:
        width = max(len(step.what) for step in steps)
        self.stdout.write(f"{'':8} {'what':{width}}  why")
        for step in steps:
            self.stdout.write(f"{step.action:8} {step.what:{width}}  {step.why}")

    def _prove(self, base_url: str) -> None:
        self.stdout.write("Waiting for an event to come round …")
        try:
            services.prove_setup(patience=PATIENCE)
        except services.NotProven as error:
            raise CommandError(
                f"Stripe is set up, but no event arrived within {PATIENCE.seconds} seconds. Is the "
                f"product running, and does {base_url} lead to it from the internet? At Stripe, "
                "under Developers > Webhooks, each endpoint shows what its attempts were answered; "
                "none of the account's may be one that does not answer. "
                "If that is 400, its secret is not the one that is kept here: delete it at Stripe, "
                "and run this again."
            ) from error
        except BillingUnavailable as error:
            raise CommandError(f"Stripe is set up, and then out of reach: {error}") from error
        self.stdout.write("It did: events arrive, and their signatures hold.")


def _require_meant_key(*, is_meant_live: bool) -> None:
    """Refuse to touch live data by mistake, and test data in its place."""
    if settings.STRIPE_LIVE_MODE and not is_meant_live:
        raise CommandError("STRIPE_SECRET_KEY is a live key. If you mean it, add --live.")
    if is_meant_live and not settings.STRIPE_LIVE_MODE:
        raise CommandError("--live was given, and STRIPE_SECRET_KEY is not a live key.")
