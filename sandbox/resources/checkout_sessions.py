"""Checkout sessions, for subscriptions; the page that completes them is in sandbox.hosted."""

import copy

from sandbox import clocks, events, listing, records
from sandbox.address import base_url
from sandbox.billing import timeline
from sandbox.billing.prices import recurring_price
from sandbox.errors import ParameterError, refused
from sandbox.ids import new_id
from sandbox.kinds import JSON
from sandbox.params import merged_metadata
from sandbox.records import Record
from sandbox.resources.checkout_params import CREATE, LINE_ITEMS, LIST, UPDATE
from sandbox.resources.subscriptions import trial_end
from sandbox.routing import Route
from sandbox.schedule import DAY

SHORTEST = 30 * 60
# What a session shows as it was given.
COPIED = (
    "allow_promotion_codes",
    "billing_address_collection",
    "cancel_url",
    "client_reference_id",
    "customer",
    "customer_email",
    "locale",
    "success_url",
)
NEW_SESSION: JSON = {
    "object": "checkout.session",
    "adaptive_pricing": {"enabled": False},
    "after_expiration": None,
    "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
    "client_secret": None,
    "collected_information": None,
    "consent": None,
    "consent_collection": None,
    "currency_conversion": None,
    "custom_fields": [],
    "custom_text": {
        "after_submit": None,
        "shipping_address": None,
        "submit": None,
        "terms_of_service_acceptance": None,
    },
    "customer_account": None,
    "customer_details": None,
    "discounts": [],
    "invoice": None,
    "invoice_creation": None,
    "livemode": False,
    "mode": "subscription",
    "origin_context": None,
    "payment_intent": None,
    "payment_link": None,
    "payment_method_configuration_details": None,
    "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
    "payment_method_types": ["card"],
    "payment_status": "unpaid",
    "permissions": None,
    "phone_number_collection": {"enabled": False},
    "recovered_from": None,
    "saved_payment_method_options": None,
    "setup_intent": None,
    "shipping_address_collection": None,
    "shipping_cost": None,
    "shipping_options": [],
    "status": "open",
    "submit_type": None,
    "subscription": None,
    "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
    "ui_mode": "hosted_page",
    "wallet_options": None,
}


def create(params: JSON) -> JSON:
    customer = params.get("customer")
    if customer is not None:
        records.referenced("customer", customer, "customer")
    prices = [
        (recurring_price(item["price"], f"line_items[{place}][price]"), item.get("quantity", 1))
        for place, item in enumerate(params["line_items"])
    ]
    if not prices:
        raise refused("You must specify at least one line item.", param="line_items")
    now = clocks.now_for(customer)
    subscription_data = params.get("subscription_data", {})
    trial_end(subscription_data, now)
    session = _session(params, now)
    total = sum((price.data["unit_amount"] or 0) * quantity for price, quantity in prices)
    is_trial = bool({"trial_period_days", "trial_end"} & subscription_data.keys())
    session |= {
        "currency": prices[0][0].data["currency"],
        "amount_subtotal": 0 if is_trial else total,
        "amount_total": 0 if is_trial else total,
    }
    hidden = {
        "line_items": [_line_item(price.data, quantity, is_trial) for price, quantity in prices],
        "subscription_data": subscription_data,
    }
    return records.add(session, hidden=hidden, customer=customer).data


def _session(params: JSON, now: int) -> JSON:
    id = f"cs_test_{new_id('x', 58)[2:]}"
    return {
        **copy.deepcopy(NEW_SESSION),
        **{key: params.get(key) for key in COPIED},
        "id": id,
        "created": now,
        "customer_creation": None if "customer" in params else "always",
        "expires_at": _expires_at(params.get("expires_at"), now),
        "metadata": params.get("metadata", {}),
        "payment_method_collection": params.get("payment_method_collection", "always"),
        "url": f"{base_url()}/c/pay/{id}",
    }


def _expires_at(given: int | None, now: int) -> int:
    """Check when a session is to expire.

    The caller may live by real time while the customer lives by a test clock: both are accepted.
    """
    if given is None:
        return now + DAY
    real = clocks.real_now()
    if given < min(now, real) + SHORTEST - 60:
        raise ParameterError(
            "The `expires_at` timestamp must be at least 30 minutes from Checkout Session "
            "creation.",
            param="expires_at",
        )
    if given > max(now, real) + DAY + 60:
        raise ParameterError(
            "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.",
            param="expires_at",
        )
    return given


def _line_item(price: JSON, quantity: int, is_trial: bool) -> JSON:
    amount = 0 if is_trial else (price["unit_amount"] or 0) * quantity
    product = records.find(price["product"])
    return {
        "id": new_id("li"),
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": price["currency"],
        "description": product.data.get("name") if product else None,
        "metadata": {},
        "price": price,
        "quantity": quantity,
    }


def retrieve(params: JSON, id: str) -> JSON:
    return records.get("checkout.session", id).data


def update(params: JSON, id: str) -> JSON:
    record = records.get("checkout.session", id)
    if "metadata" in params:
        record.data["metadata"] = merged_metadata(record.data["metadata"], params["metadata"])
    records.save(record)
    return record.data


def expire(params: JSON, id: str) -> JSON:
    record = records.get("checkout.session", id)
    if record.data["status"] != "open":
        raise refused(
            'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout '
            f"Session has a status of {record.data['status']}."
        )
    timeline.expire_session(record)
    return record.data


def list_all(params: JSON) -> JSON:
    customer = params.get("customer")
    if customer is not None:
        records.known("customer", customer, "customer")

    def matches(record: Record) -> bool:
        return all(
            record.data[key] == params[key] for key in ("status", "subscription") if key in params
        )

    return listing.page(
        "/v1/checkout/sessions", "checkout.session", params, customer=customer, where=matches
    )


def line_items_of(record: Record) -> list[JSON]:
    items: list[JSON] = record.hidden["line_items"]
    return items


def list_line_items(params: JSON, id: str) -> JSON:
    record = records.get("checkout.session", id)
    return listing.slice_of(line_items_of(record), f"/v1/checkout/sessions/{id}/line_items", params)


def complete(session: Record, subscription: Record, customer: Record) -> None:
    """Close a session with what came of it."""
    paid = session.data["amount_total"] > 0
    session.customer = customer.id
    session.clock = customer.clock
    session.data |= {
        "status": "complete",
        "payment_status": "paid" if paid else "no_payment_required",
        "customer": customer.id,
        "customer_details": {
            "address": customer.data["address"],
            "business_name": None,
            "email": customer.data["email"],
            "individual_name": None,
            "name": customer.data["name"],
            "phone": customer.data["phone"],
            "tax_exempt": "none",
            "tax_ids": [],
        },
        "invoice": subscription.data["latest_invoice"],
        "subscription": subscription.id,
        "url": None,
    }
    records.save(session)
    events.emit("checkout.session.completed", session)


ROUTES = [
    Route("POST", "/v1/checkout/sessions", create, CREATE),
    Route("GET", "/v1/checkout/sessions", list_all, LIST),
    Route("GET", "/v1/checkout/sessions/{id}", retrieve),
    Route("POST", "/v1/checkout/sessions/{id}", update, UPDATE),
    Route("POST", "/v1/checkout/sessions/{id}/expire", expire),
    Route("GET", "/v1/checkout/sessions/{id}/line_items", list_line_items, LINE_ITEMS),
]
