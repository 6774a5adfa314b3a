"""How things stand, asked of the database and the queue at each scrape."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import Error
from django.db.models import Count, Min
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from redis import Redis, RedisError
from rq import Queue

from billing.models import PayerMail, ReconcileRun, Standing, Status
from config.asking import bounded
from orgs import clock

# How long the numbers of organizations are kept: to count them, all rows are read.
KEPT_SECONDS = 300
# After which a queue that does not answer is given up.
QUEUE_SECONDS = 2


class PresentCollector(Collector):
    """Answers with what can be asked: where the database is out of reach, with that alone."""

    def collect(self) -> Iterator[Metric]:
        try:
            with bounded():
                found = [*_of_syncs(clock.now()), *_of_mails(), _organizations()]
                if settings.TASKS["default"]["BACKEND"] == "django_tasks_db.DatabaseBackend":
                    found.append(_tasks_waiting(_rows_waiting()))
        except Error:
            yield _gauge("holdfast_database_up", "Whether the database answers.", 0)
        else:
            yield _gauge("holdfast_database_up", "Whether the database answers.", 1)
            yield from found
        if settings.TASKS["default"]["BACKEND"] == "django_tasks_rq.RQBackend":
            # Where it is out of reach it is missing: no number would be true.
            with suppress(RedisError):
                yield _tasks_waiting(_jobs_waiting())


def oldest_mark() -> datetime | None:
    """Return since when the organization waits that has waited longest to be synced."""
    oldest: datetime | None = Standing.objects.marked().aggregate(at=Min("sync_requested_at"))["at"]
    return oldest


def last_reconcile() -> datetime | None:
    """Return when everything at Stripe was last compared to the end."""
    full = ReconcileRun.objects.filter(is_full=True, finished_at__isnull=False)
    return full.order_by("-pk").values_list("finished_at", flat=True).first()


def _of_syncs(now: datetime) -> Iterator[Metric]:
    yield _gauge(
        "holdfast_marks",
        "Organizations that wait to be synced.",
        Standing.objects.marked().count(),
    )
    oldest = oldest_mark()
    yield _gauge(
        "holdfast_oldest_mark_age_seconds",
        "For how long the one that has waited longest has; 0 while none does.",
        (now - oldest).total_seconds() if oldest else 0,
    )
    reconciled = last_reconcile()
    if reconciled is not None:
        yield _gauge(
            "holdfast_reconcile_age_seconds",
            "Since the last full reconcile ended; missing before the first.",
            (now - reconciled).total_seconds(),
        )


def _of_mails() -> Iterator[Metric]:
    yield _gauge(
        "holdfast_payer_mails_waiting",
        "Mails to whoever pays that are still to be sent.",
        PayerMail.objects.waiting().count(),
    )
    yield _gauge(
        "holdfast_payer_mails_given_up",
        "Mails to whoever pays that could not be sent.",
        PayerMail.objects.given_up().count(),
    )


@lru_cache(maxsize=1)
def _counted(period: int) -> dict[str, int]:
    """Count the organizations of each standing, once in each period."""
    return dict(Standing.objects.order_by().values_list("status").annotate(n=Count("pk")))


def _organizations() -> Metric:
    counted = _counted(int(time.monotonic() // KEPT_SECONDS))
    family = GaugeMetricFamily(
        "holdfast_organizations",
        "Organizations by where they stand with billing.",
        labels=["standing"],
    )
    for status in Status:
        family.add_metric([status], counted.get(status, 0))
    return family


def _rows_waiting() -> int:
    # Its app is installed with this backend alone, so that it cannot be imported.
    model: Any = apps.get_app_config("django_tasks_database").get_model("DBTaskResult")
    count: int = model.objects.ready().count()
    return count


def _jobs_waiting() -> int:
    url = settings.RQ_QUEUES["default"]["URL"]
    with Redis.from_url(
        url, socket_timeout=QUEUE_SECONDS, socket_connect_timeout=QUEUE_SECONDS
    ) as redis:
        return Queue("default", connection=redis).count


def _tasks_waiting(count: int) -> Metric:
    return _gauge("holdfast_tasks_waiting", "Tasks that wait for a worker.", count)


def _gauge(name: str, what: str, value: float) -> Metric:
    return GaugeMetricFamily(name, what, value=value)
