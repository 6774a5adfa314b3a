"""The owner's way to end a plan at the end of what is paid, and to go on with it after all."""

from __future__ import annotations

from accounts import services as accounts
from accounts.events import Event
from accounts.models import User
from billing import gateway
from billing.models import Standing
from billing.services.checkout import PATIENCE, require_owner
from billing.services.sync import sync_now
from orgs.models import Organization


class NoPlan(Exception):
    """No subscription lives that could end or go on."""


def cancel_plan(*, organization: Organization, by: User) -> None:
    """Have the plan end with the period that is paid; until then it can be resumed.

    What comes of it is read from Stripe. Raises NotOwner, NoPlan and BillingUnavailable.
    """
    standing = _living(organization, by)
    gateway.schedule_end(str(standing.subscription_id))
    _log(Event.PLAN_CANCELED, standing, by)
    sync_now(organization=organization, patience=PATIENCE)


def resume_plan(*, organization: Organization, by: User) -> None:
    """Have the plan go on. Raises NotOwner, NoPlan and BillingUnavailable."""
    standing = _living(organization, by)
    assert standing.subscription is not None
    gateway.take_end_back(standing.subscription.stripe_data)
    _log(Event.PLAN_RESUMED, standing, by)
    sync_now(organization=organization, patience=PATIENCE)


def _log(event: Event, standing: Standing, by: User) -> None:
    """Write down who did it, once Stripe has. If this process dies before, the sync's own line
    tells of the change all the same."""
    accounts.record_event(
        event,
        user=by,
        actor=by,
        organization_id=standing.organization_id,
        data={"subscription": standing.subscription_id},
    )


def _living(organization: Organization, by: User) -> Standing:
    require_owner(organization, by)
    standing = Standing.objects.select_related("subscription").get(organization=organization)
    if not standing.has_live_subscription:
        raise NoPlan
    return standing
