"""Subscriptions."""

from sandbox import clocks, events, listing, records
from sandbox.billing import changes, endings, subscriptions
from sandbox.billing.payments import Outcome
from sandbox.billing.prices import recurring_price
from sandbox.billing.subscriptions import Plan
from sandbox.errors import StripeError, refused
from sandbox.kinds import JSON
from sandbox.params import merged_metadata
from sandbox.records import Record
from sandbox.resources import payment_methods
from sandbox.resources.subscription_params import CANCEL, CREATE, LIST, STATUSES, UPDATE
from sandbox.routing import Route
from sandbox.schedule import DAY, period_end


def create(params: JSON) -> JSON:
    customer = records.referenced("customer", params["customer"], "customer")
    prices = [
        (recurring_price(item["price"], f"items[{place}][price]"), item.get("quantity", 1))
        for place, item in enumerate(params["items"])
    ]
    now = clocks.now_of(customer)
    plan = Plan(
        customer, prices, trial_end=trial_end(params, now), extras=_extras(params, customer)
    )
    behavior = params.get("payment_behavior", "allow_incomplete")
    if behavior != "default_incomplete":
        _require_method(plan)
    subscription, outcome = subscriptions.start(plan, pays_now=behavior != "default_incomplete")
    _check_paid(params, outcome)
    _schedule_cancel(subscription, params)
    records.save(subscription)
    return subscription.data


def trial_end(params: JSON, now: int) -> int | None:
    """Return when a new subscription's trial ends, if it has one."""
    given = params.get("trial_end")
    if given == "now":
        return None
    if given is not None:
        if given <= now:
            raise refused("Invalid timestamp: must be in the future.", param="trial_end")
        return int(given)
    days = params.get("trial_period_days")
    return now + days * DAY if days else None


def _extras(params: JSON, customer: Record) -> JSON:
    method = params.get("default_payment_method")
    if method is not None:
        payment_methods.of_customer(method, customer.id, "default_payment_method")
    extras: JSON = {
        "default_payment_method": method,
        "description": params.get("description"),
        "metadata": params.get("metadata", {}),
    }
    if "trial_settings" in params:
        extras["trial_settings"] = params["trial_settings"]
    return extras


def _require_method(plan: Plan) -> None:
    has_method = (
        plan.extras["default_payment_method"]
        or plan.customer.data["invoice_settings"]["default_payment_method"]
    )
    costs = sum((price.data["unit_amount"] or 0) * quantity for price, quantity in plan.prices)
    if costs and not has_method and plan.trial_end is None:
        raise refused(
            "This customer has no attached payment source or default payment method. Please "
            "consider adding a default payment method.",
            code="resource_missing",
        )


def _check_paid(params: JSON, outcome: Outcome) -> None:
    """Undo a call that was to do nothing unless it is paid."""
    if params.get("payment_behavior") == "error_if_incomplete" and outcome is not Outcome.SUCCEEDED:
        raise StripeError(402, "Your card was declined.", kind="card_error", code="card_declined")


def retrieve(params: JSON, id: str) -> JSON:
    return records.get("subscription", id).data


def update(params: JSON, id: str) -> JSON:
    record = records.get("subscription", id)
    if record.data["status"] in ("canceled", "incomplete_expired"):
        raise refused(
            "A canceled subscription can only update its cancellation_details and metadata."
        )
    ends_trial = params.get("trial_end") == "now" and record.data["status"] == "trialing"
    with events.changing(record, "customer.subscription.updated"):
        _apply(record, params)
        if "items" in params:
            behavior = params.get("proration_behavior", "create_prorations")
            changes.apply(record, params["items"], behavior)
    if "items" in params:
        _check_paid(params, changes.bill(record))
    if ends_trial:
        subscriptions.end_trial(record)
    return records.get("subscription", id).data


def _apply(record: Record, params: JSON) -> None:
    data = record.data
    method = params.get("default_payment_method")
    if method is not None:
        payment_methods.of_customer(method, data["customer"], "default_payment_method")
    for key in ("default_payment_method", "description", "trial_settings"):
        data[key] = params.get(key, data[key])
    if "metadata" in params:
        data["metadata"] = merged_metadata(data["metadata"], params["metadata"])
    if "pause_collection" in params:
        pause = params["pause_collection"]
        data["pause_collection"] = pause and {"resumes_at": None, **pause}
    data["cancellation_details"] |= params.get("cancellation_details", {})
    moment = params.get("trial_end")
    if moment not in (None, "now"):
        _extend_trial(data, moment, clocks.now_of(record))
    _schedule_cancel(record, params)


def _extend_trial(data: JSON, moment: int, now: int) -> None:
    if moment <= now:
        raise refused("Invalid timestamp: must be in the future.", param="trial_end")
    data |= {
        "status": "trialing",
        "trial_start": data["trial_start"] or now,
        "trial_end": moment,
        "billing_cycle_anchor": moment,
    }
    for item in data["items"]["data"]:
        item["current_period_end"] = moment


def _schedule_cancel(record: Record, params: JSON) -> None:
    """Set or clear a scheduled end, in the two ways that the API offers."""
    data = record.data
    if "cancel_at" in params and "cancel_at_period_end" in params:
        raise refused("Please pass only one of cancel_at and cancel_at_period_end.")
    if "cancel_at_period_end" in params:
        flag = params["cancel_at_period_end"]
        if flag or data["cancel_at_period_end"]:
            set_cancel_at(record, period_end(data) if flag else None, at_period_end=flag)
    elif "cancel_at" in params:
        moment = params["cancel_at"]
        if moment in ("min_period_end", "max_period_end"):
            moment = period_end(data)
        if moment is not None and moment <= clocks.now_of(record):
            raise refused("Invalid timestamp: must be in the future.", param="cancel_at")
        set_cancel_at(record, moment, at_period_end=False)


def set_cancel_at(record: Record, moment: int | None, *, at_period_end: bool) -> None:
    """Schedule the end of a subscription, or (None) call it off.

    In flexible billing the portal sets the moment alone; only the API's own flag sets the flag.
    """
    scheduled = moment is not None
    record.data |= {
        "cancel_at": moment,
        "cancel_at_period_end": at_period_end,
        "canceled_at": clocks.now_of(record) if scheduled else None,
    }
    record.data["cancellation_details"]["reason"] = "cancellation_requested" if scheduled else None


def cancel(params: JSON, id: str) -> JSON:
    record = records.get("subscription", id)
    if record.data["status"] in ("canceled", "incomplete_expired"):
        raise refused(f"No such subscription: '{id}'", code="resource_missing", param="id")
    record.data["cancellation_details"] |= params.get("cancellation_details", {})
    endings.cancel(record, reason="cancellation_requested")
    return record.data


def resume(params: JSON, id: str) -> JSON:
    record = records.get("subscription", id)
    if record.data["status"] != "paused":
        raise refused("This subscription cannot be resumed because it is not paused.")
    subscriptions.resume(record)
    return records.get("subscription", id).data


def list_all(params: JSON) -> JSON:
    customer = params.get("customer")
    if customer is not None:
        records.known("customer", customer, "customer")
    return listing.page(
        "/v1/subscriptions",
        "subscription",
        params,
        customer=customer,
        where=lambda record: _matches(record.data, params),
    )


def _matches(data: JSON, params: JSON) -> bool:
    """Apply the filters; without a status, canceled ones are left out."""
    status = params.get("status")
    ended = data["status"] in ("canceled", "incomplete_expired")
    if status is None and data["status"] == "canceled":
        return False
    if status == "ended" and not ended:
        return False
    if status in STATUSES and data["status"] != status:
        return False
    if "test_clock" in params and data["test_clock"] != params["test_clock"]:
        return False
    prices = [item["price"]["id"] for item in data["items"]["data"]]
    return "price" not in params or params["price"] in prices


ROUTES = [
    Route("POST", "/v1/subscriptions", create, CREATE),
    Route("GET", "/v1/subscriptions", list_all, LIST),
    Route("GET", "/v1/subscriptions/{id}", retrieve),
    Route("POST", "/v1/subscriptions/{id}", update, UPDATE),
    Route("DELETE", "/v1/subscriptions/{id}", cancel, CANCEL),
    Route("POST", "/v1/subscriptions/{id}/resume", resume),
]
