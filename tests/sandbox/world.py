"""A small shop in the sandbox: one product, two prices, customers on a test clock."""

import time
from dataclasses import dataclass

import stripe

from tests.sandbox import forms, raw
from tests.sandbox.forms import Page

DAY = 86_400

GOOD = "4242 4242 4242 4242"
FAILS_LATER = "4000 0000 0000 0341"
LACKS_FUNDS = "4000 0000 0000 9995"
CONFIRMS_ONCE = "4000 0025 0000 3155"
CONFIRMS_ALWAYS = "4000 0027 6000 3184"

SUCCESS = "http://product.test/done?session={CHECKOUT_SESSION_ID}"
CANCEL = "http://product.test/plans"
RETURN = "http://product.test/billing"


@dataclass
class Shop:
    """What the tests do with it reads like what people do."""

    client: stripe.StripeClient
    url: str
    product: str
    monthly: str
    yearly: str
    clock: str
    start: int

    def customer(self, email: str = "owner@example.com") -> str:
        made = self.client.v1.customers.create({"email": email, "test_clock": self.clock})
        return made.id

    def payer(self, token: str = "pm_card_visa") -> str:
        """Make a customer with a card on file."""
        customer = self.customer()
        method = self.client.v1.payment_methods.attach(token, {"customer": customer})
        self.client.v1.customers.update(
            customer, {"invoice_settings": {"default_payment_method": method.id}}
        )
        return customer

    def begin(
        self, customer: str, params: stripe.params.SubscriptionCreateParams | None = None
    ) -> stripe.Subscription:
        """Subscribe a customer to the monthly plan by the API."""
        wanted: stripe.params.SubscriptionCreateParams = {
            "customer": customer,
            "items": [{"price": self.monthly}],
        }
        return self.client.v1.subscriptions.create({**wanted, **(params or {})})

    def checkout(self, customer: str, *, trial_days: int | None = None) -> stripe.checkout.Session:
        """Open a checkout of the monthly plan."""
        data: stripe.params.checkout.SessionCreateParamsSubscriptionData = {"metadata": {"o": "7"}}
        if trial_days is not None:
            data["trial_period_days"] = trial_days
        return self.client.v1.checkout.sessions.create(
            {
                "mode": "subscription",
                "customer": customer,
                "line_items": [{"price": self.monthly, "quantity": 1}],
                "success_url": SUCCESS,
                "cancel_url": CANCEL,
                "client_reference_id": "org-7",
                "subscription_data": data,
            }
        )

    def pay(self, session: stripe.checkout.Session, card: str = GOOD) -> Page:
        """Fill in the checkout page."""
        assert session.url is not None
        return forms.submit(forms.visit(session.url), "checkout-form", card=card)

    def subscribe(self, customer: str, card: str = GOOD) -> stripe.Subscription:
        """Subscribe a customer by the checkout page."""
        page = self.pay(self.checkout(customer), card)
        if "confirm-form" in page.forms:
            page = forms.submit(page, "confirm-form", decision="complete")
        assert page.url.startswith("http://product.test/done"), page.text
        return self.subscription(customer)

    def subscription(self, customer: str) -> stripe.Subscription:
        """Return a customer's newest subscription, whatever its status."""
        found = self.client.v1.subscriptions.list({"customer": customer, "status": "all"})
        return found.data[0]

    def invoice(self, customer: str) -> stripe.Invoice:
        """Return a customer's newest invoice."""
        return self.client.v1.invoices.list({"customer": customer, "limit": 1}).data[0]

    def portal(self, customer: str) -> Page:
        session = self.client.v1.billing_portal.sessions.create(
            {"customer": customer, "return_url": RETURN}
        )
        return forms.visit(session.url)

    def change_card(self, customer: str, card: str) -> Page:
        return forms.submit(self.portal(customer), "card-form", card=card)

    def now(self) -> int:
        return self.client.v1.test_helpers.test_clocks.retrieve(self.clock).frozen_time

    def advance(self, *, to: int | None = None, days: int = 0) -> None:
        """Move the clock to a moment, or by days."""
        moment = (self.now() if to is None else to) + days * DAY
        clock = self.client.v1.test_helpers.test_clocks.advance(self.clock, {"frozen_time": moment})
        assert clock.status == "ready"

    def fail_renewal(self, customer: str, card: str = FAILS_LATER) -> stripe.Subscription:
        """Put in a card that fails, and let the month pass."""
        self.change_card(customer, card)
        self.advance(to=period_end(self.subscription(customer)))
        return self.subscription(customer)

    def events(self, *, about: str | None = None) -> list[str]:
        """Name the events so far, oldest first."""
        return [
            event["type"]
            for event in raw.events(self.url)
            if about is None or event["data"]["object"]["id"] == about
        ]


def open_shop(client: stripe.StripeClient, url: str) -> Shop:
    """Furnish an empty sandbox."""
    product = client.v1.products.create({"id": "prod_team", "name": "Team"})
    monthly = client.v1.prices.create(
        {
            "product": product.id,
            "currency": "usd",
            "unit_amount": 2900,
            "recurring": {"interval": "month"},
            "lookup_key": "team_monthly",
        }
    )
    yearly = client.v1.prices.create(
        {
            "product": product.id,
            "currency": "usd",
            "unit_amount": 29000,
            "recurring": {"interval": "year"},
            "lookup_key": "team_yearly",
        }
    )
    start = int(time.time())
    clock = client.v1.test_helpers.test_clocks.create({"frozen_time": start, "name": "The shop's"})
    return Shop(client, url, product.id, monthly.id, yearly.id, clock.id, start)


def period_end(subscription: stripe.Subscription) -> int:
    end: int = subscription["items"].data[0].current_period_end
    return end


def period_start(subscription: stripe.Subscription) -> int:
    start: int = subscription["items"].data[0].current_period_start
    return start
