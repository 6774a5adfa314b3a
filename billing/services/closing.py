"""Ending what Stripe bills, before an organization is closed and after it is gone."""

from __future__ import annotations

import logging
from datetime import datetime

from django.db import transaction
from django_tasks import task

from accounts.models import User
from billing import gateway, mirror
from billing.gateway import BillingUnavailable
from billing.services.checkout import PATIENCE, require_owner
from billing.services.marks import request_sync
from billing.services.sync import converge_now
from billing.standing import is_over
from orgs import clock
from orgs import services as orgs
from orgs.models import Organization

logger = logging.getLogger(__name__)


def close_organization(*, organization: Organization, by: User, now: datetime) -> bool:
    """Cancel what Stripe bills, then close; say whether the organization is gone for good already.

    Every subscription ends at once, unpaid invoices are not collected any more, and open
    checkouts expire. When Stripe cannot be asked, nothing is closed. Raises BillingUnavailable,
    and what orgs.services.close_organization raises.
    """
    require_owner(organization, by)
    if organization.closed_at is not None:
        raise orgs.OrganizationIsClosed
    if organization.stripe_customer_id is not None:
        converge_now(organization, lambda facts: True, patience=PATIENCE, ends_billing=True)
    return orgs.close_organization(organization=organization, by=by, now=now)


def follow_closing(*, organization: Organization) -> None:
    """Keep an organization open that is still billed, and look again once it is closed: what was
    bought at the same moment ends too. Raises orgs.services.StillBilled."""
    _require_nothing_billed(organization)
    request_sync(organization_ids=[organization.pk], now=clock.now())


def follow_removal(*, organization: Organization) -> None:
    """Keep an organization that is still billed, and leave nothing at Stripe that could bill once
    it is gone. Raises orgs.services.StillBilled."""
    _require_nothing_billed(organization)
    customer_id = organization.stripe_customer_id
    if customer_id is not None:
        transaction.on_commit(lambda: _end_later(customer_id), robust=True)


def _require_nothing_billed(organization: Organization) -> None:
    customer_id = organization.stripe_customer_id
    if customer_id is not None and mirror.unended_subscriptions(customer_id):
        raise orgs.StillBilled


def _end_later(customer_id: str) -> None:
    end_billing.enqueue(customer_id)


@task()
def end_billing(customer_id: str) -> None:
    """End whatever a customer could still be billed for: of a customer whose organization is gone,
    no sync would."""
    try:
        for session in gateway.list_open_checkouts(customer_id):
            gateway.expire_checkout(session["id"])
        for subscription in gateway.list_subscriptions(customer_id):
            if not is_over(subscription):
                gateway.cancel_subscription(subscription["id"])
    except BillingUnavailable as error:
        logger.warning("Billing of the customer %s may not have ended: %s", customer_id, error)
