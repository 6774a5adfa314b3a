"""Where an organization stands, as a small label in the admin's lists."""

from __future__ import annotations

from accounts.chips import BAD, GOOD, PLAIN, WARN, chip
from billing.models import Standing, Status

# How each is coloured. What it says is in its words.
LOOKS = {Status.FREE: PLAIN, Status.CURRENT: GOOD, Status.PAST_DUE: WARN, Status.LAPSED: BAD}


def standing_chip(standing: Standing | None) -> str | None:
    if standing is None:
        return None
    status = Status(standing.status)
    return chip(status.label, LOOKS[status])
