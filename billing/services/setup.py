"""What the product needs in a Stripe account: a plan of steps, and carrying them out.

Products and prices follow the tiers in the database. Nothing is edited that somebody may have
bought: another amount is another price, and the former one is archived and goes on serving.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from djstripe.models import WebhookEndpoint

from billing import gateway, mirror, plans
from billing.gateway import StripeJson
from billing.models import Interval, TierPrice
from billing.money import format_money
from orgs.models import Tier

CURRENCY = "eur"
# In cents. A starting point, planted once; staff add others in the admin.
DEFAULT_PRICES = (
    ("pro", Interval.MONTH, 1_900),
    ("pro", Interval.YEAR, 19_000),
    ("business", Interval.MONTH, 4_900),
    ("business", Interval.YEAR, 49_000),
)
# Each of these can change a standing, or what the pages show of it.
EVENTS = [
    "checkout.session.completed",
    "checkout.session.expired",
    "customer.deleted",
    "customer.updated",
    "customer.subscription.created",
    "customer.subscription.deleted",
    "customer.subscription.paused",
    "customer.subscription.resumed",
    "customer.subscription.updated",
    "invoice.finalized",
    "invoice.marked_uncollectible",
    "invoice.paid",
    "invoice.payment_action_required",
    "invoice.payment_failed",
    "invoice.payment_succeeded",
    "invoice.voided",
]


class Action(StrEnum):
    KEEP = "keep"
    CREATE = "create"
    UPDATE = "update"
    RETIRE = "retire"
    REPLACE = "replace"


@dataclass(frozen=True)
class Step:
    """One thing in the account, what is to become of it, and why."""

    action: Action
    what: str
    why: str
    # What carries it out. Of what is kept, the mirror is written.
    act: Callable[[], object] = lambda: None


def plant_prices(*, using: str = "default") -> None:
    """Plant the default prices of default tiers that have none. Safe to repeat."""
    for key, interval, amount in DEFAULT_PRICES:
        tier = Tier.objects.using(using).filter(key=key).first()
        prices = TierPrice.objects.using(using)
        if tier is not None and not prices.filter(tier=tier, interval=interval).exists():
            prices.create(tier=tier, interval=interval, amount=amount, currency=CURRENCY)


def plan_setup(*, base_url: str) -> list[Step]:
    """Return what is to be done in the account of the key, and what is there already.

    Only asks. Raises BillingUnavailable.
    """
    rows = _rows()
    products = _products_of(rows)
    at_stripe = {each["id"]: each for each in gateway.list_products(list(products))}
    prices = {each["id"]: each for id in at_stripe for each in gateway.list_prices(id)}
    by_hand = _made_by_hand(rows, prices)
    sold = _sold(rows, by_hand)
    steps = [_product_step(id, name, at_stripe.get(id)) for id, name in products.items()]
    of_prices: list[Step] = []
    for row in rows:
        if row.pk in by_hand:
            of_prices += _steps_by_hand(row, sold, by_hand[row.pk])
        else:
            of_prices += _price_steps(row, sold, prices)
    steps += [step for step in of_prices if step.action is not Action.RETIRE]
    steps.append(
        _portal_step(is_changing=any(each.action is not Action.KEEP for each in of_prices))
    )
    steps += [step for step in of_prices if step.action is Action.RETIRE]
    return [*steps, *_endpoint_steps(base_url.rstrip("/"))]


def set_up_stripe(
    *, base_url: str, on_step: Callable[[Step], object] = lambda step: None
) -> list[Step]:
    """Make the account of the configured key ready, step by step; return the steps.

    Safe to repeat, and to break off: the next time completes it. `on_step` is told of each that
    was carried out. Raises BillingUnavailable.
    """
    steps = plan_setup(base_url=base_url)
    carry_out(steps, on_step=on_step)
    return steps


def carry_out(steps: list[Step], *, on_step: Callable[[Step], object]) -> None:
    """Do what a plan says, step by step. Raises BillingUnavailable."""
    for step in steps:
        step.act()
        on_step(step)


def _rows() -> list[TierPrice]:
    return list(TierPrice.objects.select_related("tier").order_by("tier__rank", "interval", "pk"))


def _made_by_hand(
    rows: list[TierPrice], at_stripe: dict[str, StripeJson]
) -> dict[int, StripeJson | None]:
    """Return the prices, by the keys of their rows, that were made at Stripe by hand.

    They have no amount here, or are of a product that is none of ours. None is one that this
    account lacks.
    """
    made: dict[int, StripeJson | None] = {}
    for row in rows:
        if row.stripe_price_id is None or (row.stripe_price_id in at_stripe and row.amount):
            continue
        found = at_stripe.get(row.stripe_price_id) or gateway.find_price(row.stripe_price_id)
        if row.amount is None or found is not None:
            made[row.pk] = found
    return made


def _sold(rows: list[TierPrice], by_hand: dict[int, StripeJson | None]) -> set[int]:
    """Return the keys of those that are sold: the newest of each tier and interval on offer.

    One that was made by hand is sold while this account has it, and it is not archived.
    """
    newest = {}
    for row in rows:
        price = by_hand.get(row.pk)
        is_there = row.pk not in by_hand or (price is not None and price["active"])
        if row.tier.is_offered and is_there:
            newest[row.tier_id, row.interval] = row.pk
    return set(newest.values())


def _products_of(rows: list[TierPrice]) -> dict[str, str]:
    return {_product_id(row): row.tier.name for row in rows if row.amount is not None}


def _product_id(row: TierPrice) -> str:
    return f"holdfast_{row.tier.key}"


def _lookup_key(row: TierPrice) -> str:
    return f"holdfast_{row.tier.key}_{row.interval}"


def _product_step(id: str, name: str, found: StripeJson | None) -> Step:
    what = f"product {id}"
    if found is None:
        create = partial(gateway.create_product, product_id=id, name=name)
        return Step(Action.CREATE, what, f"the tier {name} has none", create)
    update = partial(gateway.update_product, id, name=name)
    if found["name"] != name:
        return Step(Action.UPDATE, what, f"the tier is called {name} now", update)
    if not found["active"]:
        return Step(Action.UPDATE, what, "it was archived", update)
    return Step(Action.KEEP, what, f"is {name}")


def _price_steps(
    row: TierPrice, sold: set[int], at_stripe: dict[str, StripeJson]
) -> Iterator[Step]:
    """Say what becomes of a price."""
    assert row.amount is not None
    what = f"price of {row.tier.name}, {format_money(row.amount, row.currency)} a {row.interval}"
    found = at_stripe.get(row.stripe_price_id or "")
    if found is None and (unlinked := _unlinked(row, at_stripe)):
        row, found = (_copy(row) if row.stripe_price_id else row), unlinked
    if not row._state.adding and row.pk not in sold:
        if found is not None and found["active"]:
            why = "another is sold" if row.tier.is_offered else "the tier is no longer offered"
            yield Step(Action.RETIRE, what, why, partial(_set_active, row, found, is_active=False))
        return
    if found is None:
        if row.stripe_price_id is None:
            yield Step(Action.CREATE, what, "Stripe has none", partial(_create_price, row))
        else:
            why = f"this account has no {row.stripe_price_id}"
            yield Step(Action.REPLACE, what, why, partial(_create_price, _copy(row)))
    elif not found["active"]:
        activate = partial(_set_active, row, found, is_active=True)
        yield Step(Action.UPDATE, what, "it was archived, and is sold again", activate)
    else:
        yield Step(Action.KEEP, what, f"is {found['id']}", partial(_link, row, found))


def _steps_by_hand(row: TierPrice, sold: set[int], found: StripeJson | None) -> Iterator[Step]:
    """A price that was made at Stripe by hand is left alone, and known here, so that it is sold."""
    what = f"price of {row.tier.name} a {row.interval}, made by hand"
    if found is None:
        why = f"this account has no {row.stripe_price_id}: see “prices of tiers”"
        yield Step(Action.KEEP, what, why)
    elif row.pk in sold or not found["active"]:
        why = f"is {found['id']}" if found["active"] else f"{found['id']} was archived at Stripe"
        yield Step(Action.KEEP, what, why, partial(mirror.write_price, found))


def _unlinked(row: TierPrice, at_stripe: dict[str, StripeJson]) -> StripeJson | None:
    """Return the price that was made for the row by a run that died before it could say so."""
    known = set(TierPrice.objects.at_stripe().values_list("stripe_price_id", flat=True))
    for price in at_stripe.values():
        is_like_it = (
            price["lookup_key"] == _lookup_key(row)
            and price["unit_amount"] == row.amount
            and price["currency"] == row.currency
        )
        if is_like_it and price["id"] not in known:
            return price
    return None


def _copy(row: TierPrice) -> TierPrice:
    """Return a row to be written in the place of one whose price is another account's.

    That one stays: the account may be the wrong one, and who pays it there must be known.
    """
    return TierPrice(
        tier=row.tier,
        interval=row.interval,
        amount=row.amount,
        currency=row.currency,
        trial_days=row.trial_days,
    )


def _create_price(row: TierPrice) -> None:
    assert row.amount is not None
    price = gateway.create_price(
        product_id=_product_id(row),
        lookup_key=_lookup_key(row),
        currency=row.currency,
        amount=row.amount,
        interval=row.interval,
    )
    _link(row, price)


def _set_active(row: TierPrice, price: StripeJson, *, is_active: bool) -> None:
    _link(row, gateway.update_price(price["id"], is_active=is_active))


@transaction.atomic
def _link(row: TierPrice, price: StripeJson) -> None:
    mirror.write_price(price)
    if row._state.adding:
        row.stripe_price_id = price["id"]
        row.save()
    else:
        TierPrice.objects.filter(pk=row.pk).update(stripe_price_id=price["id"])


def _portal_step(*, is_changing: bool) -> Step:
    def save() -> None:
        gateway.save_portal_configuration(gateway.portal_settings(plans.sold_at_stripe()))

    what = "billing portal"
    found = gateway.find_portal_configuration()
    if found is None:
        return Step(Action.CREATE, what, "there is none of ours", save)
    wanted = gateway.portal_settings(plans.sold_at_stripe())
    if is_changing or not gateway.is_portal_like(found, wanted):
        return Step(Action.UPDATE, what, "it offers other prices, or other things to do", save)
    return Step(Action.KEEP, what, f"is {found['id']}")


def _endpoint_steps(base_url: str) -> Iterator[Step]:
    """Keep exactly one endpoint under this address: of the pinned version, whose secret we know.

    Stripe tells the secret once, and never changes the version, so that such an endpoint is
    replaced: the new one first, so that no event is missed.
    """
    prefix = f"{base_url}/stripe/webhook/"
    at_stripe = [
        each for each in gateway.list_webhook_endpoints() if each["url"].startswith(prefix)
    ]
    rows = WebhookEndpoint.objects.filter(url__startswith=prefix).exclude(secret="")
    known = dict(rows.values_list("id", "url"))
    usable = [
        each
        for each in at_stripe
        if known.get(each["id"]) == each["url"]
        and each["api_version"] == settings.STRIPE_API_VERSION
    ]
    kept = usable[0] if usable else None
    others = [each for each in at_stripe if each is not kept]
    forget = partial(_forget_endpoints, prefix, kept and kept["id"])
    what = f"webhook endpoint under {base_url}"
    if kept is None:
        action = Action.REPLACE if others else Action.CREATE
        yield Step(action, what, _why_new(others, known), partial(_create_endpoint, base_url))
        forget = partial(_forget_endpoints, prefix, None)
    elif set(kept["enabled_events"]) != set(EVENTS) or kept["status"] != "enabled":
        why = "it gets other events" if kept["status"] == "enabled" else "it was switched off"

        def update(id: str = kept["id"]) -> None:
            gateway.update_webhook_endpoint(id, events=EVENTS)
            forget()

        yield Step(Action.UPDATE, what, why, update)
    else:
        yield Step(Action.KEEP, what, f"is {kept['id']}", forget)
    for each in others:
        yield Step(
            Action.RETIRE,
            f"webhook endpoint {each['id']}",
            "there is one of ours",
            partial(_delete_endpoint, each["id"]),
        )


def _why_new(others: list[StripeJson], known: dict[str, str]) -> str:
    if not others:
        return "there is none"
    if any(known.get(each["id"]) == each["url"] for each in others):
        return "it speaks another version of Stripe's API"
    if any(each["id"] in known for each in others):
        return "its address was changed at Stripe"
    return "its secret is not known here"


def _create_endpoint(base_url: str) -> None:
    identifier = uuid.uuid4()
    path = reverse("djstripe:djstripe_webhook_by_uuid", args=[identifier])
    created = gateway.create_webhook_endpoint(url=base_url + path, events=EVENTS)
    mirror.write_webhook_endpoint(created, identifier)
    _forget_endpoints(f"{base_url}/stripe/webhook/", created["id"])


def _delete_endpoint(id: str) -> None:
    gateway.delete_webhook_endpoint(id)
    WebhookEndpoint.objects.filter(id=id).delete()


def _forget_endpoints(prefix: str, kept: Any) -> None:
    """Remove the rows of endpoints that Stripe no longer has."""
    left = {each["id"] for each in gateway.list_webhook_endpoints()}
    rows = WebhookEndpoint.objects.filter(url__startswith=prefix).exclude(id=kept)
    rows.exclude(id__in=left).delete()
