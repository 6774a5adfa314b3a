"""Configurations of the billing portal: what its page offers."""

from sandbox import clocks, events, listing, records
from sandbox.ids import new_id
from sandbox.kinds import JSON
from sandbox.params import (
    Choice,
    Flag,
    ListOf,
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

KIND = "billing_portal.configuration"
PATH = "/v1/billing_portal/configurations"

PRORATIONS = Choice(("always_invoice", "create_prorations", "none"))
REASONS = (
    "customer_service",
    "low_quality",
    "missing_features",
    "other",
    "switched_service",
    "too_complex",
    "too_expensive",
    "unused",
)
FEATURES = Shape(
    {
        "customer_update": Shape(
            {
                "allowed_updates": ListOf(
                    Choice(("address", "email", "name", "phone", "shipping", "tax_id"))
                ),
                "enabled": Flag(),
            }
        ),
        "invoice_history": Shape({"enabled": Flag()}, required=("enabled",)),
        "payment_method_update": Shape({"enabled": Flag()}, required=("enabled",)),
        "subscription_cancel": Shape(
            {
                "cancellation_reason": Shape(
                    {"enabled": Flag(), "options": ListOf(Choice(REASONS))}, required=("enabled",)
                ),
                "enabled": Flag(),
                "mode": Choice(("at_period_end", "immediately")),
                "proration_behavior": PRORATIONS,
            }
        ),
        "subscription_update": Shape(
            {
                "default_allowed_updates": ListOf(Choice(("price", "promotion_code", "quantity"))),
                "enabled": Flag(),
                "products": ListOf(
                    Shape(
                        {"prices": ListOf(Text()), "product": Text()},
                        required=("prices", "product"),
                    )
                ),
                "proration_behavior": PRORATIONS,
                "trial_update_behavior": Choice(("continue_trial", "end_trial")),
            }
        ),
    }
)
PROFILE = Shape(
    {
        name: Text(clearable=True)
        for name in ("headline", "privacy_policy_url", "terms_of_service_url")
    }
)
FIELDS: dict[str, Param] = {
    "business_profile": PROFILE,
    "default_return_url": Text(clearable=True),
    "features": FEATURES,
    "login_page": Shape({"enabled": Flag()}, required=("enabled",)),
    "metadata": Metadata(),
    "name": Text(clearable=True),
}
CREATE = Params(FIELDS, required=("features",))
UPDATE = Params({**FIELDS, "active": Flag()})
LIST = list_params(active=Flag(), is_default=Flag())


def _features() -> JSON:
    """Write what a configuration offers until it is told otherwise."""
    return {
        "customer_update": {"allowed_updates": [], "enabled": False},
        "invoice_history": {"enabled": False},
        "payment_method_update": {"enabled": False, "payment_method_configuration": None},
        "subscription_cancel": {
            "cancellation_reason": {"enabled": False, "options": []},
            "enabled": False,
            "mode": "at_period_end",
            "proration_behavior": "none",
        },
        "subscription_update": {
            "billing_cycle_anchor": None,
            "default_allowed_updates": [],
            "enabled": False,
            "products": [],
            "proration_behavior": "none",
            "schedule_at_period_end": {"conditions": []},
            "trial_update_behavior": "end_trial",
        },
    }


def make(params: JSON, *, is_default: bool = False) -> Record:
    now = clocks.real_now()
    record = records.add(
        {
            "id": new_id("bpc"),
            "object": KIND,
            "active": True,
            "application": None,
            "business_profile": {
                "headline": None,
                "privacy_policy_url": None,
                "terms_of_service_url": None,
            },
            "created": now,
            "default_return_url": None,
            "features": _features(),
            "is_default": is_default,
            "livemode": False,
            "login_page": {"enabled": False, "url": None},
            "metadata": {},
            "name": None,
            "updated": now,
        }
    )
    _apply(record, params)
    records.save(record)
    events.emit("billing_portal.configuration.created", record)
    return record


def _apply(record: Record, params: JSON) -> None:
    data = record.data
    for key in ("active", "default_return_url", "name"):
        data[key] = params.get(key, data[key])
    data["business_profile"] |= params.get("business_profile", {})
    data["login_page"] |= params.get("login_page", {})
    for name, given in params.get("features", {}).items():
        data["features"][name] |= given
    if "metadata" in params:
        data["metadata"] = merged_metadata(data["metadata"], params["metadata"])


def default() -> Record:
    """Return the configuration for sessions that name none: everything is on."""
    for record in records.each(KIND):
        if record.data["is_default"]:
            return record
    features = {
        "customer_update": {"allowed_updates": ["email", "name", "address"], "enabled": True},
        "invoice_history": {"enabled": True},
        "payment_method_update": {"enabled": True},
        "subscription_cancel": {"enabled": True},
        "subscription_update": {
            "default_allowed_updates": ["price"],
            "enabled": True,
            "proration_behavior": "create_prorations",
        },
    }
    return make({"features": features}, is_default=True)


def create(params: JSON) -> JSON:
    return make(params).data


def retrieve(params: JSON, id: str) -> JSON:
    return records.get(KIND, id).data


def update(params: JSON, id: str) -> JSON:
    record = records.get(KIND, id)
    with events.changing(record, "billing_portal.configuration.updated"):
        _apply(record, params)
        record.data["updated"] = clocks.real_now()
    return record.data


def list_all(params: JSON) -> JSON:
    def matches(record: Record) -> bool:
        return all(
            record.data[key] == params[key] for key in ("active", "is_default") if key in params
        )

    return listing.page(PATH, KIND, params, where=matches)


ROUTES = [
    Route("POST", PATH, create, CREATE),
    Route("GET", PATH, list_all, LIST),
    Route("GET", PATH + "/{id}", retrieve),
    Route("POST", PATH + "/{id}", update, UPDATE),
]
