from billing.models.prices import Interval, TierPrice
from billing.models.standing import STALE_AFTER, Standing, StandingQuerySet, Status

__all__ = ["STALE_AFTER", "Interval", "Standing", "StandingQuerySet", "Status", "TierPrice"]
