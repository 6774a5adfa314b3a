"""Products and prices in a Stripe account, as the tiers and prices in the database want them.

Nothing is edited that somebody may have bought: another amount is another price, and the former
one is archived and goes on serving.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from django.db import transaction

from billing import gateway, mirror
from billing.gateway import StripeJson
from billing.models import Interval, TierPrice
from billing.money import format_money
from billing.services.setup_steps import Action, Step
from orgs.models import Tier

CURRENCY = "eur"
# In cents. A starting point, planted once; staff add others in the admin.
DEFAULT_PRICES = (
    ("pro", Interval.MONTH, 1_900),
    ("pro", Interval.YEAR, 19_000),
    ("business", Interval.MONTH, 4_900),
    ("business", Interval.YEAR, 49_000),
)


def plant_prices(*, using: str = "default") -> None:
    """Plant the default prices of default tiers that have none. Safe to repeat."""
    for key, interval, amount in DEFAULT_PRICES:
        tier = Tier.objects.using(using).filter(key=key).first()
        prices = TierPrice.objects.using(using)
        if tier is not None and not prices.filter(tier=tier, interval=interval).exists():
            prices.create(tier=tier, interval=interval, amount=amount, currency=CURRENCY)


def product_and_price_steps() -> tuple[list[Step], list[Step]]:
    """Say what becomes of the products, and of the prices. Raises BillingUnavailable."""
    rows = _rows()
    products = _products_of(rows)
    at_stripe = {each["id"]: each for each in gateway.list_products(list(products))}
    prices = {each["id"]: each for id in at_stripe for each in gateway.list_prices(id)}
    by_hand = _made_by_hand(rows, prices)
    sold = _sold(rows, by_hand)
    of_prices: list[Step] = []
    for row in rows:
        if row.pk in by_hand:
            of_prices += _steps_by_hand(row, sold, by_hand[row.pk])
        else:
            of_prices += _price_steps(row, sold, prices)
    return [_product_step(id, name, at_stripe.get(id)) for id, name in products.items()], of_prices


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
