"""What people call why an organization stands where it does, and why somebody was kept out."""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from billing.access import Reason
from billing.models import Status
from orgs.activity import WORDS

# By `Standing.reason`, which billing.standing writes.
REASONS: Final[dict[str, str | Promise]] = {
    "payment_failed": _("a payment failed"),
    "payment_disputed": _("a payment was disputed"),
    "unpaid": _("unpaid"),
    "paused": _("paused"),
    "unknown_status": _("in a status that is not known here"),
    "unmapped_price": _("its price buys no tier"),
    "no_subscription": _("no subscription"),
    "customer_deleted": _("the customer was deleted"),
}
WORDS.update(REASONS)
WORDS.update({status.value: status.label for status in Status})
WORDS.update(
    {
        Reason.LOCKED: _("the organization is locked"),
        Reason.CLOSED: _("the organization is closed"),
        Reason.INACTIVE: _("the account is not active"),
    }
)


def words_for(reason: str) -> str:
    """Return the words for a standing's reason; none for none, and an unknown one as it is."""
    return str(REASONS.get(reason, reason))
