"""Payment methods: cards, by test number or by one of Stripe's test tokens."""

from datetime import UTC, datetime

from sandbox import clocks, events, listing, records
from sandbox.billing import cards
from sandbox.billing.cards import Card, InvalidNumber
from sandbox.errors import StripeError, declined, missing_resource, refused
from sandbox.ids import new_id
from sandbox.kinds import JSON
from sandbox.params import (
    Choice,
    Integer,
    Metadata,
    Param,
    Params,
    Shape,
    Text,
    list_params,
    merged_metadata,
)
from sandbox.records import Record
from sandbox.routing import Route

BILLING_DETAILS = Shape(
    {
        "address": Shape(
            {
                name: Text(clearable=True)
                for name in ("city", "country", "line1", "line2", "postal_code", "state")
            }
        ),
        "email": Text(clearable=True),
        "name": Text(clearable=True),
        "phone": Text(clearable=True),
    }
)
TYPE: dict[str, Param] = {"type": Choice(("card",))}
CARD = Shape(
    {
        "number": Text(),
        "exp_month": Integer(least=1, most=12),
        "exp_year": Integer(least=2000),
        "cvc": Text(),
        "token": Text(),
    }
)
CREATE = Params(
    {**TYPE, "card": CARD, "billing_details": BILLING_DETAILS, "metadata": Metadata()},
    required=("type",),
)
UPDATE = Params({"billing_details": BILLING_DETAILS, "metadata": Metadata()})
ATTACH = Params({"customer": Text()}, required=("customer",))
LIST = list_params(customer=Text(), **TYPE)
LIST_OF_CUSTOMER = list_params(**TYPE)


def create(params: JSON) -> JSON:
    given = params.get("card", {})
    token = given.get("token")
    card = cards.by_token(token) if token else None
    if card is None:
        card = _card(given.get("number", ""))
    record = make(card, details=params.get("billing_details"))
    record.data["metadata"] = params.get("metadata", {})
    for key in ("exp_month", "exp_year"):
        record.data["card"][key] = given.get(key, record.data["card"][key])
    records.save(record)
    return record.data


def _card(number: str) -> Card:
    try:
        return cards.by_number(number)
    except InvalidNumber as error:
        raise StripeError(
            402,
            "Your card number is incorrect.",
            kind="card_error",
            code="incorrect_number",
            param="number",
        ) from error


def make(card: Card, *, details: JSON | None = None, is_set_up: bool = False) -> Record:
    """Make a payment method of a test card, attached to nobody yet."""
    details = details or {}
    now = clocks.real_now()
    data = {
        "id": new_id("pm"),
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": {
            "address": _address(details.get("address")),
            "email": details.get("email"),
            "name": details.get("name"),
            "phone": details.get("phone"),
            "tax_id": None,
        },
        "card": _card_data(card, datetime.fromtimestamp(now, UTC).year + 5),
        "created": now,
        "customer": None,
        "customer_account": None,
        "livemode": False,
        "metadata": {},
        "type": "card",
    }
    return records.add(data, hidden={"number": card.number, "is_set_up": is_set_up})


def _address(given: JSON | None) -> JSON:
    keys = ("city", "country", "line1", "line2", "postal_code", "state")
    return {key: (given or {}).get(key) for key in keys}


def _card_data(card: Card, exp_year: int) -> JSON:
    return {
        "brand": "visa",
        "checks": {
            "address_line1_check": None,
            "address_postal_code_check": None,
            "cvc_check": "pass",
        },
        "country": "US",
        "display_brand": "visa",
        "exp_month": 12,
        "exp_year": exp_year,
        "fingerprint": f"sandbox{card.number[-9:]}",
        "funding": "credit",
        "generated_from": None,
        "last4": card.last4,
        "networks": {"available": ["visa"], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }


def retrieve(params: JSON, id: str) -> JSON:
    return records.get("payment_method", id).data


def update(params: JSON, id: str) -> JSON:
    record = records.get("payment_method", id)
    with events.changing(record, "payment_method.updated"):
        if "metadata" in params:
            current = record.data["metadata"]
            record.data["metadata"] = merged_metadata(current, params["metadata"])
        details = dict(params.get("billing_details", {}))
        if "address" in details:
            details["address"] = _address(details["address"])
        record.data["billing_details"] |= details
    return record.data


def attach(params: JSON, id: str) -> JSON:
    customer = records.referenced("customer", params["customer"], "customer")
    return attach_to(id, customer, param="payment_method").data


def attach_to(id: str, customer: Record, *, param: str) -> Record:
    """Save a card, or a fresh copy of a test token, to a customer.

    Raises card_declined for a card that the bank does not let be saved.
    """
    card = cards.by_token(id)
    record = make(card) if card else records.find(id)
    if record is None or record.kind != "payment_method":
        raise missing_resource("payment_method", id, param=param, status=400 if card else 404)
    if record.customer == customer.id:
        return record
    if record.customer is not None or record.hidden.get("was_detached"):
        raise refused(
            "The payment method you provided has already been attached to a customer, or was "
            "detached from one and cannot be used again."
        )
    refusal = cards.refusal_to_save(cards.by_number(record.hidden["number"]))
    if refusal is not None:
        raise declined(
            refusal.message,
            code=refusal.code,
            decline_code=refusal.decline_code,
            payment={"payment_method": record.data},
        )
    record.customer = record.data["customer"] = customer.id
    record.clock = customer.clock
    records.save(record)
    events.emit("payment_method.attached", record)
    return record


def detach(params: JSON, id: str) -> JSON:
    record = records.get("payment_method", id)
    if record.customer is None:
        raise refused(
            "The payment method you provided is not attached to a customer so detachment is "
            "impossible."
        )
    release(record)
    return record.data


def release(record: Record) -> None:
    """Take a card away from its customer and whatever it was to pay."""
    customer_id = record.customer
    if customer_id is None:
        return
    record.customer = record.data["customer"] = None
    record.hidden["was_detached"] = True
    records.save(record)
    events.emit("payment_method.detached", record, previous={"customer": customer_id})
    customer = records.get("customer", customer_id)
    settings = customer.data["invoice_settings"]
    if settings["default_payment_method"] == record.id:
        with events.changing(customer, "customer.updated"):
            settings["default_payment_method"] = None
    for subscription in records.each("subscription", customer=customer_id):
        if subscription.data["default_payment_method"] == record.id:
            with events.changing(subscription, "customer.subscription.updated"):
                subscription.data["default_payment_method"] = None


def of_customer(id: str, customer: str, param: str, *, status: int = 400) -> Record:
    """Return a card of this customer, or raise that there is none."""
    record = records.find(id)
    if record is None or record.kind != "payment_method" or record.customer != customer:
        raise missing_resource("payment_method", id, param=param, status=status)
    return record


def list_all(params: JSON) -> JSON:
    customer = params.get("customer")
    if customer is not None:
        records.referenced("customer", customer, "customer")
    return page("/v1/payment_methods", params, customer)


def page(url: str, params: JSON, customer: str | None) -> JSON:
    return listing.page(
        url,
        "payment_method",
        params,
        customer=customer,
        where=lambda record: record.customer is not None,
    )


def raise_declined(intent: Record | None) -> None:
    """Raise Stripe's 402 for the last failed attempt of a payment."""
    error = intent.data["last_payment_error"] if intent else None
    if intent is None or error is None:
        return
    raise declined(
        error["message"],
        code=error["code"],
        decline_code=error["decline_code"],
        payment={"payment_intent": intent.data, "payment_method": error["payment_method"]},
    )


ROUTES = [
    Route("POST", "/v1/payment_methods", create, CREATE),
    Route("GET", "/v1/payment_methods", list_all, LIST),
    Route("GET", "/v1/payment_methods/{id}", retrieve),
    Route("POST", "/v1/payment_methods/{id}", update, UPDATE),
    Route("POST", "/v1/payment_methods/{id}/attach", attach, ATTACH),
    Route("POST", "/v1/payment_methods/{id}/detach", detach),
]
