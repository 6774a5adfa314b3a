"""Every call that the sandbox answers."""

from sandbox.resources import (
    accounts,
    checkout_sessions,
    customers,
    events,
    invoices,
    payment_intents,
    payment_methods,
    portal_configurations,
    portal_sessions,
    prices,
    products,
    subscription_items,
    subscriptions,
    test_clocks,
    webhook_endpoints,
)
from sandbox.routing import Route

ROUTES: list[Route] = [
    *accounts.ROUTES,
    *checkout_sessions.ROUTES,
    *customers.ROUTES,
    *events.ROUTES,
    *invoices.ROUTES,
    *payment_intents.ROUTES,
    *payment_methods.ROUTES,
    *portal_configurations.ROUTES,
    *portal_sessions.ROUTES,
    *prices.ROUTES,
    *products.ROUTES,
    *subscription_items.ROUTES,
    *subscriptions.ROUTES,
    *test_clocks.ROUTES,
    *webhook_endpoints.ROUTES,
]
