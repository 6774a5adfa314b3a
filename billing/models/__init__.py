from billing.models.mails import PayerMail
from billing.models.prices import Interval, TierPrice
from billing.models.reconciles import ReconcileFinding, ReconcileRun
from billing.models.revenue import Movement, MovementTotal, StandingTotal
from billing.models.standing import Standing, Status
from billing.models.syncs import SyncAttempt, SyncOutcome

__all__ = [
    "Interval",
    "Movement",
    "MovementTotal",
    "PayerMail",
    "ReconcileFinding",
    "ReconcileRun",
    "Standing",
    "StandingTotal",
    "Status",
    "SyncAttempt",
    "SyncOutcome",
    "TierPrice",
]
