"""What came of each sync, kept for support: the newest of each organization."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts import services as accounts
from accounts.events import Event
from accounts.models import User
from billing.gateway import BillingUnavailable
from billing.metrics import SYNCS
from billing.models import SyncAttempt, SyncOutcome
from orgs.models import Organization

# So many of an organization are kept.
KEPT = 20


@dataclass
class Attempt:
    """Filled in while a sync runs. `has_begun`: it got the lease, and so there is something to
    keep."""

    has_begun: bool = False
    is_overtaken: bool = False


@contextmanager
def kept(organization_id: int, now: datetime) -> Iterator[Attempt]:
    """Keep what comes of the sync inside the block, which may raise."""
    attempt, started = Attempt(), time.monotonic()
    outcome, words = SyncOutcome.SYNCED, ""
    try:
        yield attempt
    except BillingUnavailable as error:
        outcome, words = SyncOutcome.UNAVAILABLE, str(error)
        raise
    except Exception as error:
        outcome, words = SyncOutcome.FAILED, f"{type(error).__name__}: {error}"
        raise
    finally:
        if attempt.is_overtaken:
            outcome = SyncOutcome.OVERTAKEN
        if attempt.has_begun:
            SYNCS.labels(outcome).inc()
            milliseconds = round((time.monotonic() - started) * 1000)
            _keep(organization_id, now, milliseconds, outcome, words)


def log_sync_request(*, organization: Organization, by: User) -> None:
    """Write down who had an organization synced, whatever comes of it."""
    accounts.record_event(Event.SYNC_REQUESTED, actor=by, organization_id=organization.pk)


@transaction.atomic
def _keep(
    organization_id: int, began_at: datetime, milliseconds: int, outcome: SyncOutcome, words: str
) -> None:
    if not Organization.objects.filter(pk=organization_id).exists():
        # It was removed meanwhile.
        return
    theirs = SyncAttempt.objects.filter(organization=organization_id)
    theirs.filter(pk__lte=theirs.order_by("-pk").values("pk")[KEPT - 1 : KEPT]).delete()
    SyncAttempt.objects.create(
        organization_id=organization_id,
        began_at=began_at,
        milliseconds=milliseconds,
        outcome=outcome,
        error=words[:300],
    )
