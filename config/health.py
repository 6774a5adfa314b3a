"""Is this process of use? What it needs, part by part (docs/monitoring.md, "Health")."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache

from django.conf import settings
from django.core.cache import caches
from django.db import Error, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from billing.models.standing import OVERDUE_AFTER, UNHEARD_AFTER
from config.asking import bounded
from config.cache import FailoverCache
from config.gauges import last_reconcile, oldest_mark
from orgs.guards import installation

logger = logging.getLogger(__name__)

SILENT = "It does not answer."


class State(StrEnum):
    READY = "ready"
    # Something is to be seen to, and people get in meanwhile.
    DEGRADED = "degraded"
    DOWN = "down"


@dataclass(frozen=True)
class Part:
    """One thing that was looked at. Without a vital one this process can do nothing right."""

    is_vital: bool
    # What is wrong; empty where nothing is.
    why: str = ""
    figures: dict[str, int | None] = field(default_factory=dict)

    def told(self) -> dict[str, object]:
        return {"ok": not self.why, **({"why": self.why} if self.why else {}), **self.figures}


def state_of(parts: Iterable[Part]) -> State:
    """Decide what the whole is worth.

    What only makes us wait, such as Stripe or Redis out of reach, is the same for every process:
    to take them all out of service for it would lock everybody out.
    """
    broken = [part for part in parts if part.why]
    if any(part.is_vital for part in broken):
        return State.DOWN
    return State.DEGRADED if broken else State.READY


def examine(now: datetime) -> dict[str, Part]:
    """Look at each part. A fixed number of statements, each of which is bounded."""
    try:
        with bounded():
            vital = {"migrations": _migrations(), "guards": _guards()}
    except Error as error:
        logger.warning("The database cannot be asked: %s", type(error).__name__)
        return {"database": Part(is_vital=True, why=SILENT)}
    parts = {"database": Part(is_vital=True), **vital}
    if not vital["migrations"].why:
        parts["marks"] = _asked("marks", lambda: marks(oldest_mark(), now))
        parts["reconcile"] = _asked("reconcile", lambda: reconcile(last_reconcile(), now))
        parts["cache"] = _asked("cache", _cache)
    return parts


def _asked(name: str, look: Callable[[], Part]) -> Part:
    """Look at a part whose silence keeps nobody from their pages: a table may be locked."""
    try:
        with bounded():
            return look()
    except Exception as error:
        # Each kind of cache fails in its own way.
        logger.warning("The part %s cannot be asked: %s", name, type(error).__name__)
        return Part(is_vital=False, why=SILENT)


def marks(oldest: datetime | None, now: datetime) -> Part:
    """Judge since when the organization waits that has waited longest to be synced."""
    return _aged(
        "oldest_seconds", oldest, now, OVERDUE_AFTER, "Syncs wait: is Stripe out of reach?"
    )


def reconcile(last: datetime | None, now: datetime) -> Part:
    """Judge when everything at Stripe was compared last."""
    part = _aged("age_seconds", last, now, UNHEARD_AFTER, "reconcile_billing does not run.")
    if last is None and settings.STRIPE_SECRET_KEY:
        return Part(is_vital=False, why="reconcile_billing has never run.", figures=part.figures)
    return part


def _aged(name: str, since: datetime | None, now: datetime, limit: timedelta, why: str) -> Part:
    age = max(now - since, timedelta()) if since is not None else None
    # Without a key nothing can be synced, and nothing has to be.
    is_late = age is not None and age > limit and bool(settings.STRIPE_SECRET_KEY)
    return Part(
        is_vital=False,
        why=why if is_late else "",
        figures={
            name: round(age.total_seconds()) if age is not None else None,
            "limit_seconds": round(limit.total_seconds()),
        },
    )


def _migrations() -> Part:
    missing = missing_migrations(_newest_migrations())
    return Part(
        is_vital=True,
        why="Run manage.py migrate." if missing else "",
        figures={"missing": len(missing)},
    )


def missing_migrations(newest: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return those of the newest migrations of each app that the database has not had."""
    if not newest:
        return set()
    return set(newest) - MigrationRecorder(connection).applied_migrations().keys()


@cache
def _newest_migrations() -> frozenset[tuple[str, str]]:
    """They are files: what this process could run, it can run until it ends."""
    return frozenset(MigrationLoader(None).graph.leaf_nodes())


def _guards() -> Part:
    wrong = installation.missing_or_altered(connection)
    if wrong:
        logger.error("Guards are missing or altered: %s", ", ".join(wrong))
    return Part(
        is_vital=True,
        why="Run manage.py migrate, which installs them again." if wrong else "",
        figures={"missing_or_altered": len(wrong)},
    )


def _cache() -> Part:
    shared = caches["default"]
    if isinstance(shared, FailoverCache):
        # It would answer in any case.
        shared.ask_redis()
    else:
        shared.get("health")
    return Part(is_vital=False)
