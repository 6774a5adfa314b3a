"""Invoices. They are made by subscriptions; here they are read, paid and closed."""

from sandbox import events, listing, records
from sandbox.billing import changes, collecting, invoices, shapes
from sandbox.billing.payments import Outcome
from sandbox.errors import StripeError, refused
from sandbox.ids import new_id
from sandbox.kinds import JSON
from sandbox.params import (
    Choice,
    Flag,
    Integer,
    ListOf,
    Metadata,
    Params,
    Shape,
    Text,
    list_params,
    merged_metadata,
)
from sandbox.records import Record
from sandbox.resources import payment_methods
from sandbox.resources.subscription_params import ITEM, PRORATIONS
from sandbox.routing import Route
from sandbox.schedule import period_start

STATUS = Choice(("draft", "open", "paid", "uncollectible", "void"))
LIST = list_params(customer=Text(), status=STATUS, subscription=Text())
UPDATE = Params(
    {
        "auto_advance": Flag(),
        "default_payment_method": Text(),
        "description": Text(clearable=True),
        "metadata": Metadata(),
    }
)
PAY = Params({"off_session": Flag(), "paid_out_of_band": Flag(), "payment_method": Text()})
FINALIZE = Params({"auto_advance": Flag()})
PREVIEW = Params(
    {
        "customer": Text(),
        "subscription": Text(),
        "subscription_details": Shape(
            {
                "items": ListOf(Shape({**ITEM, "id": Text(), "deleted": Flag()})),
                "proration_behavior": PRORATIONS,
            }
        ),
    },
    required=("subscription",),
)
LINES = Params(
    {"limit": Integer(least=1, most=100), "starting_after": Text(), "ending_before": Text()}
)


def retrieve(params: JSON, id: str) -> JSON:
    return records.get("invoice", id).data


def list_all(params: JSON) -> JSON:
    customer = params.get("customer")
    if customer is not None:
        records.known("customer", customer, "customer")

    def matches(record: Record) -> bool:
        if "status" in params and record.data["status"] != params["status"]:
            return False
        parent = record.data["parent"]["subscription_details"]["subscription"]
        return "subscription" not in params or parent == params["subscription"]

    return listing.page("/v1/invoices", "invoice", params, customer=customer, where=matches)


def list_lines(params: JSON, id: str) -> JSON:
    lines: list[JSON] = records.get("invoice", id).data["lines"]["data"]
    return listing.slice_of(lines, f"/v1/invoices/{id}/lines", params)


def update(params: JSON, id: str) -> JSON:
    record = records.get("invoice", id)
    if "default_payment_method" in params:
        payment_methods.of_customer(
            params["default_payment_method"], record.data["customer"], "default_payment_method"
        )
    with events.changing(record, "invoice.updated"):
        for key in ("auto_advance", "default_payment_method", "description"):
            record.data[key] = params.get(key, record.data[key])
        if "metadata" in params:
            current = record.data["metadata"]
            record.data["metadata"] = merged_metadata(current, params["metadata"])
    return record.data


def finalize(params: JSON, id: str) -> JSON:
    record = records.get("invoice", id)
    invoices.require_status(record, "draft", action="finalize")
    invoices.finalize(record)
    if record.data["status"] == "paid":
        collecting.follow(record)
    elif params.get("auto_advance"):
        collecting.collect(record, is_automatic=True)
    return records.get("invoice", id).data


def pay(params: JSON, id: str) -> JSON:
    """Pay an invoice, or raise Stripe's 402 and keep what the try changed."""
    record = records.get("invoice", id)
    if record.data["status"] == "draft":
        invoices.finalize(record)
    if record.data["status"] == "paid":
        raise refused("Invoice is already paid", code="invoice_already_paid")
    invoices.require_status(record, "open", "uncollectible", action="pay")
    if params.get("paid_out_of_band"):
        invoices.mark_paid(record, out_of_band=True)
        collecting.follow(record)
        return record.data
    method = None
    if "payment_method" in params:
        owner = records.get("customer", record.data["customer"])
        method = payment_methods.attach_to(params["payment_method"], owner, param="payment_method")
    raise_unpaid(record, collecting.collect(record, method=method))
    return records.get("invoice", id).data


def raise_unpaid(invoice: Record, outcome: Outcome) -> None:
    """Turn an attempt that brought no money into Stripe's error."""
    if outcome is Outcome.NO_METHOD:
        raise StripeError(
            400,
            "Cannot charge a customer that has no active card or payment method.",
            code="missing_payment_method",
            keeps_effects=True,
        )
    if outcome is Outcome.REQUIRES_ACTION:
        raise StripeError(
            402,
            "This payment requires additional user action before it can be completed successfully.",
            kind="card_error",
            code="invoice_payment_intent_requires_action",
            keeps_effects=True,
        )
    if outcome is Outcome.DECLINED:
        payment_methods.raise_declined(invoices.payment_of(invoice))


def void(params: JSON, id: str) -> JSON:
    record = records.get("invoice", id)
    invoices.void(record)
    collecting.follow(record)
    return record.data


def mark_uncollectible(params: JSON, id: str) -> JSON:
    record = records.get("invoice", id)
    invoices.mark_uncollectible(record)
    collecting.follow(record)
    return record.data


def create_preview(params: JSON) -> JSON:
    """Write the next invoice, with a change of items if one is given."""
    subscription = records.referenced("subscription", params["subscription"], "subscription")
    customer = records.get("customer", subscription.data["customer"])
    details = params.get("subscription_details", {})
    if "items" in details:
        behavior = details.get("proration_behavior", "create_prorations")
        changes.apply(subscription, details["items"], behavior)
    lines, end = changes.preview(subscription)
    preview = shapes.invoice(
        subscription.data,
        customer.data,
        lines,
        reason="upcoming",
        period=(period_start(subscription.data), end),
    )
    preview["id"] = new_id("upcoming_in")
    preview["lines"]["url"] = f"/v1/invoices/upcoming/lines?customer={customer.id}"
    for line in preview["lines"]["data"]:
        line["invoice"] = preview["id"]
    return preview


ROUTES = [
    Route("POST", "/v1/invoices/create_preview", create_preview, PREVIEW),
    Route("GET", "/v1/invoices", list_all, LIST),
    Route("GET", "/v1/invoices/{id}", retrieve),
    Route("POST", "/v1/invoices/{id}", update, UPDATE),
    Route("GET", "/v1/invoices/{id}/lines", list_lines, LINES),
    Route("POST", "/v1/invoices/{id}/finalize", finalize, FINALIZE),
    Route("POST", "/v1/invoices/{id}/pay", pay, PAY),
    Route("POST", "/v1/invoices/{id}/void", void),
    Route("POST", "/v1/invoices/{id}/mark_uncollectible", mark_uncollectible),
]
