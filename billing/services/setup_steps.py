"""A plan for a Stripe account: its steps, and what carries each out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Action(StrEnum):
    KEEP = "keep"
    CREATE = "create"
    UPDATE = "update"
    RETIRE = "retire"
    REPLACE = "replace"


@dataclass(frozen=True)
class Step:
    """One thing in the account, what is to become of it, and why."""

    action: Action
    what: str
    why: str
    # What carries it out. Of what is kept, the mirror is written.
    act: Callable[[], object] = lambda: None
