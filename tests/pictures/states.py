"""Brings an organization into each state that its people see: at Stripe's stand-in, by services."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from accounts.models import User
from billing import gateway, services
from billing.models import TierPrice
from orgs import clock
from tests.payer import Payer

PAYS = "4242424242424242"
FAILS_LATER = "4000000000000341"
CONFIRMS_ALWAYS = "pm_card_authenticationRequired"
A_MONTH = 32


def free(payer: Payer) -> None:
    payer.sync()


def trial(payer: Payer) -> None:
    TierPrice.objects.filter(tier__key="pro").update(trial_days=14)
    paid(payer)


def paid(payer: Payer) -> None:
    payer.subscribe()
    payer.sync()


def ending(payer: Payer) -> None:
    paid(payer)
    services.cancel_plan(organization=payer.organization, by=payer.organization.owner)
    payer.sync()


def past_due(payer: Payer) -> None:
    """Within a grace, if the settings give one; without it: locked."""
    paid(payer)
    payer.change_card(FAILS_LATER)
    payer.advance(A_MONTH)
    payer.sync()


def to_confirm(payer: Payer) -> None:
    paid(payer)
    _charge_to(payer, CONFIRMS_ALWAYS)
    payer.advance(A_MONTH)
    payer.sync()


def card_expiring(payer: Payer) -> None:
    paid(payer)
    now = clock.now()
    card = {"number": PAYS, "exp_month": now.month, "exp_year": now.year, "cvc": "314"}
    made = gateway.api().payment_methods.create({"type": "card", "card": card})
    _charge_to(payer, made.id)
    payer.sync()


def _charge_to(payer: Payer, card: str) -> None:
    """Have the subscription be paid with another card, by Stripe's API."""
    api, customer = gateway.api(), str(payer.organization.stripe_customer_id)
    attached = api.payment_methods.attach(card, {"customer": customer})
    (subscription,) = gateway.list_subscriptions(customer)
    api.subscriptions.update(subscription["id"], {"default_payment_method": attached.id})


def unmapped(payer: Payer) -> None:
    paid(payer)
    TierPrice.objects.filter(tier__key="pro").delete()
    payer.sync()


def exempt(payer: Payer) -> None:
    past_due(payer)
    services.grant_exemption(
        organization=payer.organization,
        until=clock.now() + timedelta(days=30),
        tier=None,
        reason="Their bank is on strike.",
        by=User.objects.get(email="dana@example.com"),
        now=clock.now(),
    )
    payer.sync()


def closed(payer: Payer) -> None:
    organization = payer.sync()
    services.close_organization(organization=organization, by=organization.owner, now=clock.now())


@dataclass(frozen=True)
class State:
    make: Callable[[Payer], None]
    grace_days: int = 0
    # What a member meets: the lock screen, or the home page.
    members_meet: int = 200


STATES = {
    "free": State(free),
    "in a trial": State(trial),
    "paid": State(paid),
    "ending": State(ending),
    "past due, in grace": State(past_due, grace_days=7),
    "past due, locked": State(past_due, members_meet=403),
    "a payment to confirm": State(to_confirm, grace_days=7),
    "the card expires": State(card_expiring),
    "a price of no tier": State(unmapped),
    "exempt": State(exempt),
    "closed": State(closed, members_meet=403),
}
