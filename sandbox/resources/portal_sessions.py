"""Sessions of the billing portal; the page is in sandbox.hosted."""

from sandbox import clocks, events, records
from sandbox.address import base_url
from sandbox.billing.prices import recurring_price
from sandbox.errors import refused
from sandbox.ids import new_id
from sandbox.kinds import JSON
from sandbox.params import Choice, Integer, ListOf, Param, Params, Shape, Text
from sandbox.records import Record
from sandbox.resources import portal_configurations
from sandbox.routing import Route

KIND = "billing_portal.session"
SUBSCRIPTION: dict[str, Param] = {"subscription": Text()}
ITEM: dict[str, Param] = {"id": Text(), "price": Text(), "quantity": Integer(least=0)}
NAMED = Shape(SUBSCRIPTION, required=("subscription",))
FLOW = Shape(
    {
        "after_completion": Shape(
            {
                "hosted_confirmation": Shape({"custom_message": Text()}),
                "redirect": Shape({"return_url": Text()}, required=("return_url",)),
                "type": Choice(("hosted_confirmation", "portal_homepage", "redirect")),
            },
            required=("type",),
        ),
        "subscription_cancel": NAMED,
        "subscription_update": NAMED,
        "subscription_update_confirm": Shape(
            {**SUBSCRIPTION, "items": ListOf(Shape(ITEM, required=("id",)))},
            required=("subscription", "items"),
        ),
        "type": Choice(
            (
                "payment_method_update",
                "subscription_cancel",
                "subscription_update",
                "subscription_update_confirm",
            )
        ),
    },
    required=("type",),
)
CREATE = Params(
    {
        "configuration": Text(),
        "customer": Text(),
        "flow_data": FLOW,
        "locale": Choice(("auto", "de", "en", "es", "fr", "it", "nl", "pt")),
        "return_url": Text(),
    },
    required=("customer",),
)


def create(params: JSON) -> JSON:
    customer = records.referenced("customer", params["customer"], "customer")
    named = params.get("configuration")
    if named is not None:
        configuration = records.referenced(portal_configurations.KIND, named, "configuration")
    else:
        configuration = portal_configurations.default()
    flow = params.get("flow_data")
    if flow is not None:
        _check_flow(flow, customer.id, configuration.data["features"])
    id = new_id("bps")
    session = records.add(
        {
            "id": id,
            "object": KIND,
            "configuration": configuration.id,
            "created": clocks.now_of(customer),
            "customer": customer.id,
            "customer_account": None,
            "flow": _flow(flow) if flow else None,
            "livemode": False,
            "locale": params.get("locale"),
            "on_behalf_of": None,
            "return_url": params.get("return_url", configuration.data["default_return_url"]),
            "url": f"{base_url()}/p/session/{id}",
        },
        customer=customer.id,
    )
    events.emit("billing_portal.session.created", session)
    return session.data


def _check_flow(flow: JSON, customer: str, features: JSON) -> None:
    kind = flow["type"]
    if kind == "payment_method_update":
        return
    if kind not in flow:
        raise refused(f"Missing required param: flow_data[{kind}].", code="parameter_missing")
    param = f"flow_data[{kind}][subscription]"
    subscription = records.referenced("subscription", flow[kind]["subscription"], param)
    if subscription.customer != customer or subscription.data["ended_at"] is not None:
        raise refused("The subscription cannot be changed by this customer.", param=param)
    feature = "subscription_cancel" if kind == "subscription_cancel" else "subscription_update"
    if not features[feature]["enabled"]:
        raise refused(
            f"This flow cannot be used because the {feature} feature in the portal configuration "
            "is disabled.",
            param="flow_data[type]",
        )
    if kind == "subscription_update_confirm":
        _check_items(flow[kind]["items"], subscription, features[feature])


def _check_items(items: list[JSON], subscription: Record, feature: JSON) -> None:
    """Refuse a change that the portal would not let its customer make."""
    param = "flow_data[subscription_update_confirm][items]"
    if len(items) != 1:
        raise refused("Only one item can be changed.", param=param)
    item = items[0]
    current = {each["id"]: each["price"]["id"] for each in subscription.data["items"]["data"]}
    if item["id"] not in current:
        raise refused(
            f"No such subscription item: '{item['id']}'", code="resource_missing", param=param
        )
    item.setdefault("price", current[item["id"]])
    if item["price"] == current[item["id"]]:
        return
    recurring_price(item["price"], f"{param}[0][price]")
    offered = {price for product in feature["products"] for price in product["prices"]}
    if offered and item["price"] not in offered:
        raise refused("The price is not among those of the portal configuration.", param=param)


def _flow(flow: JSON) -> JSON:
    after = flow.get("after_completion", {"type": "portal_homepage"})
    shown: JSON = {
        "after_completion": {"hosted_confirmation": None, "redirect": None, **after},
        "subscription_cancel": None,
        "subscription_update": None,
        "subscription_update_confirm": None,
        "type": flow["type"],
    }
    if flow.get("subscription_cancel"):
        shown["subscription_cancel"] = {"retention": None, **flow["subscription_cancel"]}
    if flow.get("subscription_update"):
        shown["subscription_update"] = flow["subscription_update"]
    if flow.get("subscription_update_confirm"):
        confirm = flow["subscription_update_confirm"]
        shown["subscription_update_confirm"] = {
            "discounts": None,
            **confirm,
            "items": [{"quantity": 1, **item} for item in confirm["items"]],
        }
    return shown


ROUTES = [
    Route("POST", "/v1/billing_portal/sessions", create, CREATE),
]
