"""The only door to Stripe's API: plain JSON comes out, and one exception.

Calls carry the pinned API version, give up after seconds, and are made outside transactions.
"""

from billing.gateway.account import (
    create_price,
    create_product,
    create_webhook_endpoint,
    delete_webhook_endpoint,
    find_portal_configuration,
    find_price,
    is_portal_like,
    list_prices,
    list_products,
    list_webhook_endpoints,
    portal_settings,
    retrieve_price,
    save_portal_configuration,
    update_price,
    update_product,
    update_webhook_endpoint,
)
from billing.gateway.client import (
    BillingUnavailable,
    PriceNotSold,
    StripeJson,
    api,
)
from billing.gateway.clocks import (
    advance_test_clock,
    test_clock_time,
)
from billing.gateway.customers import (
    create_customer,
    create_throwaway_customer,
    delete_customer,
    find_customer,
    find_known_customer,
    retrieve_customer,
    touch_customer,
    update_customer,
)
from billing.gateway.invoices import (
    list_open_invoices,
    list_recent_invoices,
    needs_confirmation,
    retrieve_invoice,
)
from billing.gateway.lists import (
    Page,
    customers_page,
    ended_subscriptions_page,
    events_page,
    open_invoices_page,
)
from billing.gateway.paying import (
    create_checkout,
    create_portal,
    expire_checkout,
    list_open_checkouts,
)
from billing.gateway.subscriptions import (
    cancel_subscription,
    list_subscriptions,
    preview_change,
    retrieve_payment_method,
    retrieve_subscription,
    schedule_end,
    take_end_back,
)
from billing.gateway.webhooks import BadSignature, pending_deliveries, verify_signature

__all__ = [
    "BadSignature",
    "BillingUnavailable",
    "Page",
    "PriceNotSold",
    "StripeJson",
    "advance_test_clock",
    "api",
    "cancel_subscription",
    "create_checkout",
    "create_customer",
    "create_portal",
    "create_price",
    "create_product",
    "create_throwaway_customer",
    "create_webhook_endpoint",
    "customers_page",
    "delete_customer",
    "delete_webhook_endpoint",
    "ended_subscriptions_page",
    "events_page",
    "expire_checkout",
    "find_customer",
    "find_known_customer",
    "find_portal_configuration",
    "find_price",
    "is_portal_like",
    "list_open_checkouts",
    "list_open_invoices",
    "list_prices",
    "list_products",
    "list_recent_invoices",
    "list_subscriptions",
    "list_webhook_endpoints",
    "needs_confirmation",
    "open_invoices_page",
    "pending_deliveries",
    "portal_settings",
    "preview_change",
    "retrieve_customer",
    "retrieve_invoice",
    "retrieve_payment_method",
    "retrieve_price",
    "retrieve_subscription",
    "save_portal_configuration",
    "schedule_end",
    "take_end_back",
    "test_clock_time",
    "touch_customer",
    "update_customer",
    "update_price",
    "update_product",
    "update_webhook_endpoint",
    "verify_signature",
]
