from __future__ import annotations

from datetime import datetime

from orgs.models import Organization
from orgs.seats import Seats, seats_of


class NoSeatLeft(Exception):
    """The organization has as many people as its tier allows; `seats` says how many."""

    def __init__(self, seats: Seats) -> None:
        super().__init__(f"{seats.taken} of {seats.limit} seats are taken")
        self.seats = seats


def require_seat(organization: Organization, now: datetime) -> None:
    """Raise NoSeatLeft unless one more person may come in.

    The caller holds the organization's lock, so that the seat is still free when it is taken.
    """
    seats = seats_of(organization, organization.tier_at(now))
    if not seats.is_one_free:
        raise NoSeatLeft(seats)
