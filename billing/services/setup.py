"""What the product needs in a Stripe account: a plan of steps, and carrying them out."""

from __future__ import annotations

from collections.abc import Callable

from billing import gateway, plans
from billing.services.setup_endpoint import endpoint_steps
from billing.services.setup_prices import product_and_price_steps
from billing.services.setup_steps import Action, Step


def plan_setup(*, base_url: str, renews_secret: bool = False) -> list[Step]:
    """Return what is to be done in the account of the key, and what is there already.

    With `renews_secret`, the webhook endpoint is replaced by one with another secret. Only asks.
    Raises BillingUnavailable.
    """
    steps, of_prices = product_and_price_steps()
    steps += [step for step in of_prices if step.action is not Action.RETIRE]
    is_changing = any(step.action is not Action.KEEP for step in of_prices)
    steps.append(_portal_step(is_changing=is_changing))
    # Once the portal no longer offers them.
    steps += [step for step in of_prices if step.action is Action.RETIRE]
    return [*steps, *endpoint_steps(base_url.rstrip("/"), renews_secret=renews_secret)]


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
