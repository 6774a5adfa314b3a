"""What the calls about subscriptions accept."""

from sandbox.params import (
    Choice,
    Flag,
    Integer,
    ListOf,
    Metadata,
    Moment,
    Param,
    Params,
    Shape,
    Text,
    list_params,
)

STATUSES = (
    "active",
    "canceled",
    "incomplete",
    "incomplete_expired",
    "past_due",
    "paused",
    "trialing",
    "unpaid",
)
BEHAVIORS = ("allow_incomplete", "default_incomplete", "error_if_incomplete")
PRORATIONS = Choice(("always_invoice", "create_prorations", "none"))
ITEM: dict[str, Param] = {
    "price": Text(),
    "quantity": Integer(least=0),
    "metadata": Metadata(),
}
TRIAL_SETTINGS = Shape(
    {
        "end_behavior": Shape(
            {"missing_payment_method": Choice(("cancel", "create_invoice", "pause"))},
            required=("missing_payment_method",),
        )
    }
)
CANCELLATION_DETAILS = Shape(
    {
        "comment": Text(clearable=True),
        "feedback": Choice(
            (
                "customer_service",
                "low_quality",
                "missing_features",
                "other",
                "switched_service",
                "too_complex",
                "too_expensive",
                "unused",
            )
        ),
    }
)
FIELDS: dict[str, Param] = {
    "cancel_at": Moment(words=("min_period_end", "max_period_end"), clearable=True),
    "cancel_at_period_end": Flag(),
    "default_payment_method": Text(clearable=True),
    "description": Text(clearable=True),
    "metadata": Metadata(),
    "off_session": Flag(),
    "payment_behavior": Choice(BEHAVIORS),
    "payment_settings": Shape({"save_default_payment_method": Choice(("off", "on_subscription"))}),
    "proration_behavior": PRORATIONS,
    "trial_end": Moment(words=("now",)),
    "trial_settings": TRIAL_SETTINGS,
}
CREATE = Params(
    {
        **FIELDS,
        "billing_mode": Shape({"type": Choice(("flexible",))}),
        "collection_method": Choice(("charge_automatically",)),
        "customer": Text(),
        "items": ListOf(Shape(ITEM, required=("price",))),
        "trial_period_days": Integer(least=1, most=730),
    },
    required=("customer", "items"),
)
UPDATE = Params(
    {
        **FIELDS,
        "cancellation_details": CANCELLATION_DETAILS,
        "items": ListOf(Shape({**ITEM, "id": Text(), "deleted": Flag()})),
        "pause_collection": Shape(
            {
                "behavior": Choice(("keep_as_draft", "mark_uncollectible", "void")),
                "resumes_at": Moment(),
            },
            required=("behavior",),
            clearable=True,
        ),
    }
)
CANCEL = Params({"cancellation_details": CANCELLATION_DETAILS})
LIST = list_params(
    customer=Text(),
    price=Text(),
    status=Choice((*STATUSES, "all", "ended")),
    test_clock=Text(),
)
