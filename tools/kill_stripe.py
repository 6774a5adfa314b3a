"""What `tools.kill_at_random` does at Stripe's stand-in, past the product."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any

import stripe
from django.conf import settings

from billing import services as billing
from billing.gateway import BillingUnavailable
from billing.models import TierPrice
from billing.standing import ENDED, NEVER_STARTED
from orgs.models import Organization

TOKENS = ("pm_card_visa", "pm_card_visa", "pm_card_chargeCustomerFail")
CHANGES = ("price", "card", "card", "pay", "end later", "go on", "end now")
DAYS = (1, 4, 32)


@dataclass(frozen=True)
class Team:
    organization_id: int
    owner: str
    member: str
    buys_on_pages: bool


class StripeUser:
    """Changes at Stripe, by its API, of which we hear by events alone."""

    def __init__(self, dice: Random, done: list[str]) -> None:
        self._dice = dice
        self._done = done
        self._prices = list(TierPrice.objects.values_list("stripe_price_id", flat=True))
        self._api = stripe_api()

    def move_clock(self) -> None:
        self._try(lambda: billing.advance_test_clock(by=timedelta(days=self._dice.choice(DAYS))))

    def change(self, team: Team) -> None:
        self._try(lambda: self._change(team))

    def _try(self, act: Callable[[], None]) -> None:
        self._done.append("Stripe tried")
        try:
            act()
        except (stripe.StripeError, BillingUnavailable):
            # What was possible a moment ago, or a card that is declined.
            self._done.append("Stripe refused")

    def _change(self, team: Team) -> None:
        customer = Organization.objects.get(pk=team.organization_id).stripe_customer_id
        if customer is None:
            return
        if team.buys_on_pages and self._dice.random() < 0.03:
            self._api.customers.delete(customer)
            return
        listed = self._api.subscriptions.list({"customer": customer, "status": "all"})
        live = [each for each in listed.data if each.status not in NEVER_STARTED | {ENDED}]
        if live:
            self._change_subscription(live[0], self._dice.choice(CHANGES))
        elif not team.buys_on_pages:
            wish = {"customer": customer, "items": [{"price": self._dice.choice(self._prices)}]}
            card = self._api.payment_methods.attach("pm_card_visa", {"customer": customer})
            self._api.subscriptions.create(wish | {"default_payment_method": card.id})

    def _change_subscription(self, subscription: Any, change: str) -> None:
        whose: dict[str, Any] = {"customer": subscription.customer}
        update = self._api.subscriptions.update
        if change == "price":
            item, price = subscription["items"].data[0].id, self._dice.choice(self._prices)
            update(subscription.id, {"items": [{"id": item, "price": price}]})
        elif change == "card":
            card = self._api.payment_methods.attach(self._dice.choice(TOKENS), whose)
            update(subscription.id, {"default_payment_method": card.id})
        elif change == "pay":
            for invoice in self._api.invoices.list(whose | {"status": "open"}).data:
                self._api.invoices.pay(invoice.id)
        elif change == "end now":
            self._api.subscriptions.cancel(subscription.id)
        else:
            update(subscription.id, {"cancel_at_period_end": change == "end later"})


def stripe_api() -> Any:
    """Return a client of Stripe's stand-in that is none of the product's."""
    key, host = settings.STRIPE_SECRET_KEY, settings.STRIPE_API_HOST
    return stripe.StripeClient(key, base_addresses={"api": host}).v1
