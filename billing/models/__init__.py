from billing.models.prices import Interval, TierPrice
from billing.models.revenue import Movement, MovementTotal, StandingTotal
from billing.models.standing import Standing, Status

__all__ = [
    "Interval",
    "Movement",
    "MovementTotal",
    "Standing",
    "StandingTotal",
    "Status",
    "TierPrice",
]
