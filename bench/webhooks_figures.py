"""What the webhook benchmark found on one database, and the tables that tell it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median

GOAL = 10


@dataclass(frozen=True)
class Handling:
    """How one candidate handled events: seconds of each acknowledgement, and what it cost."""

    seconds: list[float]
    # How long all rounds took, and how many events were answered otherwise than by a 2xx.
    elapsed: float
    failed: int
    statements: float
    calls: float

    @property
    def rate(self) -> float:
        """Acknowledgements a second."""
        return len(self.seconds) / self.elapsed


@dataclass(frozen=True)
class Figures:
    holdfast: Handling
    stock: Handling
    calls_of_a_sync: int
    calls_of_bursts: list[int]
    lags: list[float]


def percentile(seconds: list[float], percent: int) -> float:
    """Return the value that so many percent do not exceed."""
    return sorted(seconds)[math.ceil(len(seconds) * percent / 100) - 1]


def tables(found: dict[str, Figures]) -> str:
    """Return two tables in Markdown: one row for each candidate, one column for each database."""
    rows = [
        ["", "acknowledgements/s", "p50", "p99", "not acknowledged", "statements", "Stripe calls"]
    ]
    for database, figures in found.items():
        rows.append([f"Holdfast, {database}", *_cells(figures.holdfast)])
        rows.append([f"stock dj-stripe, {database}", *_cells(figures.stock)])
    each = list(found.values())
    goals = [
        ["", *found, "goal"],
        [
            "acknowledgements/s, Holdfast to stock",
            *(f"{figures.holdfast.rate / figures.stock.rate:.1f} times" for figures in each),
            f"{GOAL} times at least",
        ],
        [
            "Stripe calls of one sync",
            *(str(figures.calls_of_a_sync) for figures in each),
            "",
        ],
        [
            "Stripe calls of a burst of 100 events, of each",
            *(", ".join(map(str, figures.calls_of_bursts)) for figures in each),
            "two syncs' at most",
        ],
        [
            "lag from event to changed access, p50",
            *(f"{median(figures.lags):.2f} s" for figures in each),
            "",
        ],
        [
            "… the slowest",
            *(f"{max(figures.lags):.2f} s" for figures in each),
            "",
        ],
    ]
    return f"{_markdown(rows)}\n\n{_markdown(goals)}"


def _cells(handling: Handling) -> list[str]:
    return [
        f"{handling.rate:.1f}",
        f"{percentile(handling.seconds, 50) * 1000:.0f} ms",
        f"{percentile(handling.seconds, 99) * 1000:.0f} ms",
        f"{handling.failed} of {handling.failed + len(handling.seconds)}",
        f"{handling.statements:.1f}",
        f"{handling.calls:.1f}",
    ]


def _markdown(rows: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "| " + " | ".join(map(str.ljust, row, widths)) + " |"  # one width for each column
        for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)
