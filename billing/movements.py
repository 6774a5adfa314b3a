"""What a change of a standing means for revenue, and of which months that is told. Pure: the
before and after of a `standing_changed` line go in (docs/rules.md, "Revenue")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

# So many months are shown, the present one included.
MONTHS = 12

# What a line tells of a standing.
Told = Mapping[str, Any]


class MovementKind(TextChoices):
    NEW = "new", _("new")
    UPGRADED = "upgraded", _("upgraded")
    DOWNGRADED = "downgraded", _("downgraded")
    LAPSED = "lapsed", _("lapsed")
    RECOVERED = "recovered", _("recovered")
    LEFT = "left", _("left")


@dataclass(frozen=True)
class Moved:
    """A movement, and how much more is paid a month after it: less is negative.

    Amounts are in minor units. None where no line or no price tells it; the currency is empty
    where no line does.
    """

    kind: MovementKind
    currency: str
    amount: int | None


class Side(Enum):
    NOTHING = "pays nothing"
    PAYS = "pays"
    OWES = "paid, and owes"


def movement_of(before: Told, after: Told, ranks: Mapping[str, int]) -> Moved | None:
    """Return the movement that a change is, if it is one. `ranks` are the tiers' by key."""
    was, paid = _side(before), before.get("recurring") or {}
    is_now, pays = _side(after), after.get("recurring") or {}
    match was, is_now:
        case Side.NOTHING, Side.PAYS:
            return _moved(MovementKind.NEW, pays, 1)
        case Side.OWES, Side.PAYS:
            return _moved(MovementKind.RECOVERED, pays, 1)
        case Side.PAYS, Side.OWES:
            return _moved(MovementKind.LAPSED, paid, -1)
        case Side.PAYS, Side.NOTHING:
            return _moved(MovementKind.LEFT, paid, -1)
        case Side.OWES, Side.NOTHING:
            # What they paid went when they lapsed.
            return _moved(MovementKind.LEFT, paid, 0)
        case Side.PAYS, Side.PAYS:
            return _changed(before, after, ranks)
    return None


def _side(told: Told) -> Side:
    # Older lines do not tell what is paid: whoever had a subscription then is taken to pay for it.
    if not told.get("recurring" if "recurring" in told else "subscription"):
        return Side.NOTHING
    return Side.PAYS if told.get("status") == "current" else Side.OWES


def _moved(kind: MovementKind, recurring: Told, sign: int) -> Moved:
    amount = recurring.get("amount")
    return Moved(kind, recurring.get("currency", ""), None if amount is None else sign * amount)


def _changed(before: Told, after: Told, ranks: Mapping[str, int]) -> Moved | None:
    """Compare by what is paid. Where that cannot be compared, by the tiers' ranks."""
    paid, pays = before.get("recurring") or {}, after.get("recurring") or {}
    currency = pays.get("currency", "")
    amounts = (paid.get("amount"), pays.get("amount"))
    if None in amounts or paid["currency"] != currency:
        difference = ranks.get(after.get("tier", ""), 0) - ranks.get(before.get("tier", ""), 0)
        amount = None
    else:
        difference = amount = pays["amount"] - paid["amount"]
    if difference == 0:
        return None
    kind = MovementKind.UPGRADED if difference > 0 else MovementKind.DOWNGRADED
    return Moved(kind, currency, amount)


def month_of(moment: datetime) -> date:
    """Return the first day of the month, in UTC, that the moment is in."""
    return moment.astimezone(UTC).date().replace(day=1)


def shown_months(now: datetime) -> list[date]:
    """Return the first days of the months that are shown, the oldest first."""
    present = month_of(now)
    # Months since the year 0.
    number = present.year * 12 + present.month - 1
    numbers = range(number - MONTHS + 1, number + 1)
    return [date(each // 12, each % 12 + 1, 1) for each in numbers]
