"""What is done at Stripe past the product: in its dashboard, or by the customer's bank."""

from __future__ import annotations

from typing import Any

from billing import gateway
from billing.standing import ENDED

OVER = {ENDED, "incomplete_expired"}
GOOD = "pm_card_visa"
FAILS = "pm_card_chargeCustomerFail"


class Desk:
    """Somebody at Stripe's dashboard who looks after one customer.

    What Stripe refuses raises `stripe.StripeError`.
    """

    def __init__(self, customer: str) -> None:
        self.customer = customer
        self._api = gateway.api()

    def living(self) -> list[Any]:
        """Return the subscriptions that have not ended, the newest first."""
        listed = self._api.subscriptions.list({"customer": self.customer, "status": "all"})
        return [each for each in listed.data if each.status not in OVER]

    def owed(self) -> list[Any]:
        """Return the open invoices, the newest first."""
        listed = self._api.invoices.list({"customer": self.customer, "status": "open"})
        found: list[Any] = listed.data
        return found

    def subscribe(self, price: str, *, trial_days: int | None = None) -> None:
        self.use_card(GOOD)
        wanted: dict[str, Any] = {"customer": self.customer, "items": [{"price": price}]}
        if trial_days:
            wanted["trial_period_days"] = trial_days
        self._api.subscriptions.create(wanted)

    def use_card(self, token: str) -> None:
        """Have all that is billed from now on charged to this card."""
        card = self._api.payment_methods.attach(token, {"customer": self.customer}).id
        self._api.customers.update(
            self.customer, {"invoice_settings": {"default_payment_method": card}}
        )
        self._update_living({"default_payment_method": card})

    def pay(self) -> None:
        for invoice in self.owed():
            self._api.invoices.pay(invoice.id)

    def void(self) -> None:
        for invoice in self.owed():
            self._api.invoices.void_invoice(invoice.id)

    def end(self) -> None:
        for subscription in self.living():
            self._api.subscriptions.cancel(subscription.id)

    def end_later(self) -> None:
        self._update_living({"cancel_at_period_end": True})

    def keep(self) -> None:
        self._update_living({"cancel_at_period_end": False})

    def switch(self, price: str) -> None:
        for subscription in self.living():
            item = {"id": subscription["items"].data[0].id, "price": price}
            self._api.subscriptions.update(subscription.id, {"items": [item]})

    def delete(self) -> None:
        self._api.customers.delete(self.customer)

    def _update_living(self, params: dict[str, Any]) -> None:
        for subscription in self.living():
            self._api.subscriptions.update(subscription.id, params)
