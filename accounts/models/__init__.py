from accounts.models.activity import ActiveWeek, ActiveWeekTotal
from accounts.models.log import LogExport, UserEventLog
from accounts.models.people import ERASED_DOMAIN, User, UserType

__all__ = [
    "ERASED_DOMAIN",
    "ActiveWeek",
    "ActiveWeekTotal",
    "LogExport",
    "User",
    "UserEventLog",
    "UserType",
]
