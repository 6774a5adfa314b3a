"""Subscriptions and invoices as Stripe writes them when they are new. Pure."""

import copy

from sandbox.ids import new_id
from sandbox.kinds import JSON

SELF = {"type": "self"}
NO_TAX = {"disabled_reason": None, "enabled": False, "liability": None}

# What an invoice copies from its customer, under the name `customer_…`.
CUSTOMER_ON_INVOICE = ("address", "email", "name", "phone", "shipping", "tax_exempt")

NEW_SUBSCRIPTION: JSON = {
    "object": "subscription",
    "application": None,
    "application_fee_percent": None,
    "automatic_tax": NO_TAX,
    "billing_cycle_anchor_config": None,
    "billing_schedules": [],
    "billing_thresholds": None,
    "cancel_at": None,
    "cancel_at_period_end": False,
    "canceled_at": None,
    "cancellation_details": {"comment": None, "feedback": None, "reason": None},
    "collection_method": "charge_automatically",
    "customer_account": None,
    "days_until_due": None,
    "default_payment_method": None,
    "default_source": None,
    "default_tax_rates": [],
    "description": None,
    "discounts": [],
    "ended_at": None,
    "invoice_settings": {"account_tax_ids": None, "issuer": SELF},
    "latest_invoice": None,
    "livemode": False,
    "metadata": {},
    "next_pending_invoice_item_invoice": None,
    "on_behalf_of": None,
    "pause_collection": None,
    "payment_settings": {
        "payment_method_options": None,
        "payment_method_types": None,
        "save_default_payment_method": "off",
    },
    "pending_invoice_item_interval": None,
    "pending_setup_intent": None,
    "pending_update": None,
    "schedule": None,
    "status": "incomplete",
    "transfer_data": None,
    "trial_end": None,
    "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}},
    "trial_start": None,
}

NEW_INVOICE: JSON = {
    "object": "invoice",
    "account_country": "US",
    "account_name": "Sandbox",
    "account_tax_ids": None,
    "amount_overpaid": 0,
    "amount_paid": 0,
    "amount_shipping": 0,
    "application": None,
    "attempt_count": 0,
    "attempted": False,
    "auto_advance": True,
    "automatic_tax": {**NO_TAX, "provider": None, "status": None},
    "automatically_finalizes_at": None,
    "custom_fields": None,
    "customer_account": None,
    "customer_tax_ids": [],
    "default_payment_method": None,
    "default_source": None,
    "default_tax_rates": [],
    "description": None,
    "discounts": [],
    "due_date": None,
    "effective_at": None,
    "ending_balance": None,
    "footer": None,
    "from_invoice": None,
    "hosted_invoice_url": None,
    "invoice_pdf": None,
    "issuer": SELF,
    "last_finalization_error": None,
    "latest_revision": None,
    "livemode": False,
    "metadata": {},
    "next_payment_attempt": None,
    "number": None,
    "on_behalf_of": None,
    "payment_settings": {
        "default_mandate": None,
        "payment_method_options": None,
        "payment_method_types": None,
    },
    "post_payment_credit_notes_amount": 0,
    "pre_payment_credit_notes_amount": 0,
    "receipt_number": None,
    "rendering": None,
    "shipping_cost": None,
    "shipping_details": None,
    "statement_descriptor": None,
    "status": "draft",
    "status_transitions": {
        "finalized_at": None,
        "marked_uncollectible_at": None,
        "paid_at": None,
        "voided_at": None,
    },
    "total_discount_amounts": [],
    "total_pretax_credit_amounts": [],
    "total_taxes": [],
    "webhooks_delivered_at": None,
}


def subscription_item(
    subscription: str, price: JSON, quantity: int, period: tuple[int, int], now: int
) -> JSON:
    return {
        "id": new_id("si", 14),
        "object": "subscription_item",
        "billed_until": None,
        "billing_thresholds": None,
        "created": now,
        "current_period_start": period[0],
        "current_period_end": period[1],
        "discounts": [],
        "metadata": {},
        "plan": plan(price),
        "price": price,
        "quantity": quantity,
        "subscription": subscription,
        "tax_rates": [],
    }


def plan(price: JSON) -> JSON:
    """Write a price as the older plan object, which Stripe still sends."""
    recurring = price["recurring"]
    return {
        "id": price["id"],
        "object": "plan",
        "active": price["active"],
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "billing_scheme": price["billing_scheme"],
        "created": price["created"],
        "currency": price["currency"],
        "interval": recurring["interval"],
        "interval_count": recurring["interval_count"],
        "livemode": False,
        "metadata": price["metadata"],
        "meter": None,
        "nickname": price["nickname"],
        "product": price["product"],
        "tiers_mode": None,
        "transform_usage": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }


def item_list(subscription: str, items: list[JSON]) -> JSON:
    return {
        "object": "list",
        "data": items,
        "has_more": False,
        "total_count": len(items),
        "url": f"/v1/subscription_items?subscription={subscription}",
    }


def subscription(id: str, customer: JSON, items: list[JSON], now: int) -> JSON:
    """Write a subscription that has just begun, in flexible billing mode."""
    return copy.deepcopy(NEW_SUBSCRIPTION) | {
        "id": id,
        "billing_cycle_anchor": now,
        "billing_mode": {
            "flexible": {"proration_discounts": "included"},
            "type": "flexible",
            "updated_at": now,
        },
        "created": now,
        "currency": items[0]["price"]["currency"],
        "customer": customer["id"],
        "items": item_list(id, items),
        "plan": items[0]["plan"],
        "quantity": items[0]["quantity"],
        "start_date": now,
        "test_clock": customer["test_clock"],
    }


def invoice(
    subscription: JSON, customer: JSON, lines: list[JSON], *, reason: str, period: tuple[int, int]
) -> JSON:
    """Write a draft invoice for a subscription."""
    id = new_id("in")
    total = sum(line["amount"] for line in lines)
    amount_due = max(0, total + customer["balance"])
    return copy.deepcopy(NEW_INVOICE) | {
        "id": id,
        "amount_due": amount_due,
        "amount_remaining": amount_due,
        "billing_reason": reason,
        "collection_method": subscription["collection_method"],
        "created": period[1],
        "currency": subscription["currency"],
        "customer": customer["id"],
        "lines": _line_list(id, lines),
        "parent": _parent(subscription),
        "period_end": period[1],
        "period_start": period[0],
        "starting_balance": customer["balance"],
        "subtotal": total,
        "subtotal_excluding_tax": total,
        "test_clock": subscription["test_clock"],
        "total": total,
        "total_excluding_tax": total,
        **{f"customer_{key}": customer[key] for key in CUSTOMER_ON_INVOICE},
    }


def _line_list(invoice: str, lines: list[JSON]) -> JSON:
    return {
        "object": "list",
        "data": [{**line, "invoice": invoice} for line in lines],
        "has_more": False,
        "total_count": len(lines),
        "url": f"/v1/invoices/{invoice}/lines",
    }


def _parent(subscription: JSON) -> JSON:
    return {
        "quote_details": None,
        "subscription_details": {
            "metadata": subscription["metadata"],
            "subscription": subscription["id"],
        },
        "type": "subscription_details",
    }
