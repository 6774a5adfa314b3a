from __future__ import annotations

from datetime import datetime

from django.db import transaction

from accounts import services as accounts
from accounts.events import Event
from accounts.models import User
from billing.models import Standing, TierPrice


@transaction.atomic
def save_tier_price(*, price: TierPrice, by: User, now: datetime) -> None:
    """Say what a price buys, and mark everybody who subscribed: some may pay this price.

    Raises ValidationError for a bad field. The sweep syncs those who are marked.
    """
    price.full_clean()
    price.save()
    Standing.objects.exclude(subscription=None).update(sync_requested_at=now)
    accounts.record_event(
        Event.TIER_PRICE_SAVED,
        actor=by,
        data={"price": price.stripe_price_id, "tier": price.tier.key},
    )
