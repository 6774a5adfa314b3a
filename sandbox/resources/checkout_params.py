"""What the calls about checkout sessions accept."""

from sandbox.params import (
    Choice,
    Flag,
    Integer,
    ListOf,
    Metadata,
    Moment,
    Params,
    Shape,
    Text,
    list_params,
)
from sandbox.resources.subscription_params import TRIAL_SETTINGS

LOCALES = ("auto", "de", "en", "en-GB", "es", "fr", "it", "ja", "nl", "pl", "pt", "ru", "sv", "zh")

CREATE = Params(
    {
        "allow_promotion_codes": Flag(),
        "billing_address_collection": Choice(("auto", "required")),
        "cancel_url": Text(),
        "client_reference_id": Text(longest=200),
        "customer": Text(),
        "customer_email": Text(),
        "customer_update": Shape(
            {name: Choice(("auto", "never")) for name in ("address", "name", "shipping")}
        ),
        "expires_at": Moment(),
        "line_items": ListOf(
            Shape({"price": Text(), "quantity": Integer(least=1)}, required=("price",))
        ),
        "locale": Choice(LOCALES),
        "metadata": Metadata(),
        "mode": Choice(("subscription",)),
        "payment_method_collection": Choice(("always", "if_required")),
        "payment_method_types": ListOf(Choice(("card",))),
        "subscription_data": Shape(
            {
                "billing_mode": Shape({"type": Choice(("flexible",))}),
                "description": Text(),
                "metadata": Metadata(),
                "trial_end": Moment(),
                "trial_period_days": Integer(least=1, most=730),
                "trial_settings": TRIAL_SETTINGS,
            }
        ),
        "success_url": Text(),
        "tax_id_collection": Shape({"enabled": Flag()}, required=("enabled",)),
        "ui_mode": Choice(("hosted_page",)),
    },
    required=("mode", "line_items", "success_url"),
)
UPDATE = Params({"metadata": Metadata()})
LIST = list_params(
    customer=Text(), status=Choice(("complete", "expired", "open")), subscription=Text()
)
LINE_ITEMS = Params(
    {"limit": Integer(least=1, most=100), "starting_after": Text(), "ending_before": Text()}
)
