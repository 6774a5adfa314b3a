from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from billing import gateway, services
from billing.models import TierPrice
from config.browser import Browser
from orgs.models import Organization
from tests.sandbox_process import SandboxProcess


class Payer:
    """Somebody at Stripe's own pages, paying for an organization; and its test clock."""

    def __init__(self, sandbox: SandboxProcess, organization: Organization) -> None:
        self.sandbox = sandbox
        self.organization = organization
        self.browser = Browser()

    def checkout_url(self, tier: str = "pro") -> str:
        """Choose a plan, and return the address of Stripe's page on which to subscribe."""
        organization = Organization.objects.get(pk=self.organization.pk)
        return services.start_checkout(
            organization=organization,
            price=TierPrice.objects.get(tier__key=tier, interval="month"),
            by=organization.owner,
            return_url=f"{self.sandbox.url}/",
            cancel_url=f"{self.sandbox.url}/",
        )

    def begin_checkout(self, tier: str = "pro") -> None:
        """Open Stripe's page on which to subscribe."""
        self.browser.open(self.checkout_url(tier))

    def wait_for_call(self, method: str, path: str, *, after: int = 0) -> None:
        """Return when the sandbox has met such a call, `after` so many calls."""
        deadline = time.monotonic() + 10
        while (method, path) not in [
            (call["method"], call["path"]) for call in self.sandbox.requests()[after:]
        ]:
            assert time.monotonic() < deadline, f"nobody called {method} {path}"

    def subscribe(self, tier: str = "pro", card: str = "4242424242424242") -> None:
        self.begin_checkout(tier)
        self.browser.submit("checkout-form", card=card)

    def open_checkouts(self) -> list[str]:
        sessions = gateway.api().checkout.sessions.list({"status": "open"})
        return [each.id for each in sessions.data]

    def subscribe_at_stripe(self, customer: str | None = None) -> None:
        """Subscribe by Stripe's API alone, without our checkout and the sync before it.

        It is the organization's customer who does, unless it is another one.
        """
        api = gateway.api()
        if customer is None:
            customer = Organization.objects.get(pk=self.organization.pk).stripe_customer_id
        card = api.payment_methods.attach("pm_card_visa", {"customer": customer})
        price = TierPrice.objects.get(tier__key="pro", interval="month").stripe_price_id
        api.subscriptions.create(
            {
                "customer": customer,
                "items": [{"price": price}],
                "default_payment_method": card.id,
            }
        )

    def open_portal(self) -> Browser:
        self.browser.open(
            services.open_portal(
                organization=self.organization,
                by=self.organization.owner,
                return_url=f"{self.sandbox.url}/",
            )
        )
        return self.browser

    def change_card(self, card: str) -> None:
        self.open_portal().submit("card-form", card=card)

    def pay(self) -> None:
        self.open_portal().submit("pay-form")

    def cancel(self) -> None:
        self.open_portal().submit("cancel-form")

    def resume(self) -> None:
        self.open_portal().submit("resume-form")

    def advance(self, days: int) -> None:
        services.advance_test_clock(by=timedelta(days=days))

    def customers(self) -> list[dict[str, Any]]:
        """The customers that exist at Stripe."""
        return [each.to_dict() for each in gateway.api().customers.list().data]

    def sync(self) -> Organization:
        services.sync_organization(self.organization)
        self.organization.refresh_from_db()
        return self.organization
