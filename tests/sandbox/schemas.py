"""Holds what the sandbox says against Stripe's own description of it.

`stripe-openapi-dahlia.json` is derived from the type information of stripe-python (MIT licence,
copyright Stripe). What it does not describe and matters here is described below.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

SOURCE = Path(__file__).with_name("stripe-openapi-dahlia.json")

TEXT: dict[str, Any] = {"type": "string"}
WHOLE: dict[str, Any] = {"type": "integer"}
FLAG: dict[str, Any] = {"type": "boolean"}
FREE: dict[str, Any] = {"type": "object"}
OPTIONAL_TEXT: dict[str, Any] = {"type": "string", "nullable": True}
PRORATION: dict[str, Any] = {"enum": ["always_invoice", "create_prorations", "none"]}


def _object(kind: str | None = None, **properties: Any) -> dict[str, Any]:
    """Write a schema of an object whose properties are all required."""
    if kind is not None:
        properties |= {"id": TEXT, "object": {"enum": [kind]}, "livemode": {"enum": [False]}}
    return {"type": "object", "properties": properties, "required": list(properties)}


FEATURES = _object(
    customer_update=_object(
        allowed_updates={
            "type": "array",
            "items": {"enum": ["address", "email", "name", "phone", "shipping", "tax_id"]},
        },
        enabled=FLAG,
    ),
    invoice_history=_object(enabled=FLAG),
    payment_method_update=_object(enabled=FLAG),
    subscription_cancel=_object(
        cancellation_reason=_object(enabled=FLAG, options={"type": "array", "items": TEXT}),
        enabled=FLAG,
        mode={"enum": ["at_period_end", "immediately"]},
        proration_behavior=PRORATION,
    ),
    subscription_update=_object(
        default_allowed_updates={
            "type": "array",
            "items": {"enum": ["price", "promotion_code", "quantity"]},
        },
        enabled=FLAG,
        products={
            "type": "array",
            "nullable": True,
            "items": _object(product=TEXT, prices={"type": "array", "items": TEXT}),
        },
        proration_behavior=PRORATION,
        schedule_at_period_end=_object(conditions={"type": "array"}),
    ),
)

OWN_SCHEMAS: dict[str, Any] = {
    "test_helpers.test_clock": _object(
        "test_helpers.test_clock",
        created=WHOLE,
        deletes_after=WHOLE,
        frozen_time=WHOLE,
        name=OPTIONAL_TEXT,
        status={"enum": ["advancing", "internal_failure", "ready"]},
        status_details=FREE,
    ),
    "billing_portal.configuration": _object(
        "billing_portal.configuration",
        active=FLAG,
        application=OPTIONAL_TEXT,
        business_profile=_object(
            headline=OPTIONAL_TEXT,
            privacy_policy_url=OPTIONAL_TEXT,
            terms_of_service_url=OPTIONAL_TEXT,
        ),
        created=WHOLE,
        default_return_url=OPTIONAL_TEXT,
        features=FEATURES,
        is_default=FLAG,
        login_page=_object(enabled=FLAG, url=OPTIONAL_TEXT),
        metadata=FREE,
        name=OPTIONAL_TEXT,
        updated=WHOLE,
    ),
    "payment_intent": _object(
        "payment_intent",
        amount=WHOLE,
        amount_received=WHOLE,
        client_secret=OPTIONAL_TEXT,
        created=WHOLE,
        currency=TEXT,
        customer=OPTIONAL_TEXT,
        metadata=FREE,
        status={
            "enum": ["canceled", "requires_action", "requires_payment_method", "succeeded"],
        },
    ),
    "invoice_payment": _object(
        "invoice_payment",
        amount_requested=WHOLE,
        created=WHOLE,
        currency=TEXT,
        is_default=FLAG,
        payment=_object(payment_intent={"type": ["string", "object"]}, type=TEXT),
        status={"enum": ["canceled", "open", "paid"]},
    ),
    "item": {"type": "object", "required": ["id", "amount_total", "currency", "price", "quantity"]},
    "plan": {"type": "object", "required": ["id", "amount", "currency", "interval", "product"]},
    "list": _object(data={"type": "array"}, has_more=FLAG, url=TEXT),
    "search_result": _object(data={"type": "array"}, has_more=FLAG, url=TEXT),
}


_passed: set[int] = set()


class NotAsDescribed(AssertionError):
    """The sandbox said something that Stripe would not say."""


def _as_json_schema(schema: Any) -> Any:
    """Turn OpenAPI's `nullable` into what JSON Schema understands.

    What is expanded may be a deleted object, which the SDK's types do not tell.
    """
    if isinstance(schema, list):
        return [_as_json_schema(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    turned = {key: _as_json_schema(value) for key, value in schema.items() if key != "nullable"}
    if schema.get("x-expandable") is True:
        turned["anyOf"] = [*turned["anyOf"], {"$ref": "#/components/schemas/deleted"}]
    if schema.get("nullable") is True:
        return {"anyOf": [{"type": "null"}, turned]}
    return turned


@cache
def _validators() -> dict[str, Draft202012Validator]:
    described = json.loads(SOURCE.read_text())["components"]["schemas"]
    components = {"schemas": _as_json_schema({**described, **OWN_SCHEMAS})}
    return {
        name: Draft202012Validator(
            {"$ref": f"#/components/schemas/{name}", "components": components}
        )
        for name in components["schemas"]
    }


def validate(said: dict[str, Any]) -> None:
    """Raise NotAsDescribed unless an object, and all inside it, is as described.

    An object whose kind is described nowhere is refused as well.
    """
    if "error" in said:
        _check("error", said)
        return
    _walk(said)


def _walk(value: Any) -> None:
    if isinstance(value, list):
        for each in value:
            _walk(each)
    elif isinstance(value, dict):
        if isinstance(value.get("object"), str):
            deleted = value.get("deleted") is True
            _check("deleted" if deleted else value["object"], value)
        for each in value.values():
            _walk(each)


def _check(name: str, said: dict[str, Any]) -> None:
    """Hold one object to its schema, once: the same prices come all the time."""
    digest = hash((name, json.dumps(said, sort_keys=True)))
    if digest in _passed:
        return
    validator = _validators().get(name)
    if validator is None:
        raise NotAsDescribed(f"Nothing describes the object {name!r}.")
    error = best_match(validator.iter_errors(said))
    if error is not None:
        where = ".".join(str(step) for step in error.absolute_path)
        raise NotAsDescribed(f"{name} at {where or 'its top'}: {error.message}")
    _passed.add(digest)
