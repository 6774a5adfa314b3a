from __future__ import annotations

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts import services as accounts
from accounts.events import Event
from accounts.models import User
from billing.models import Standing, TierPrice

# What of a price is fixed once stripe_setup made it.
FIXED = ("tier_id", "interval", "amount", "currency", "stripe_price_id")


@transaction.atomic
def save_tier_price(*, price: TierPrice, by: User, now: datetime) -> None:
    """Say what a price buys, and mark everybody who subscribed: some may pay this price.

    Raises ValidationError for a bad field, and for another amount of a price that was made: people
    may have bought it. The sweep syncs those who are marked.
    """
    price.full_clean()
    made = TierPrice.objects.at_stripe().filter(pk=price.pk, amount__isnull=False).first()
    if made is not None and any(getattr(made, each) != getattr(price, each) for each in FIXED):
        raise ValidationError(
            _("It was made at Stripe. Add another price instead; stripe_setup retires this one.")
        )
    price.save()
    Standing.objects.exclude(subscription=None).update(sync_requested_at=now)
    accounts.record_event(
        Event.TIER_PRICE_SAVED,
        actor=by,
        data={"price": price.stripe_price_id, "tier": price.tier.key},
    )
