"""From an event to a synced organization, with the kind of worker that TASKS names.

`make test` runs these with the thread of the web process; CI repeats them with TASKS=database and
TASKS=redis.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.utils import timezone
from prometheus_client.multiprocess import MultiProcessCollector
from pytest_django import Settings

from billing import services, tasks
from billing.models import Standing, Status
from config.gauges import PresentCollector
from config.processes import ManagedProcess
from config.stage import WORKERS
from orgs.models import Organization
from tests.cast import Cast, OrganizationFactory
from tests.payer import Payer
from tests.web_process import production

pytestmark = pytest.mark.django_db(transaction=True)

CONFIGURED = django_settings.TASKS
BACKEND = CONFIGURED["default"]["BACKEND"]


@pytest.fixture(autouse=True)
def _configured_workers(settings: Settings) -> None:
    settings.TASKS = CONFIGURED


def work_off() -> None:
    """Do what was enqueued, as a worker does, and return when nothing is left."""
    if BACKEND == "django_tasks_db.DatabaseBackend":
        call_command("db_worker", batch=True, interval=0, startup_delay=False, verbosity=0)
    elif BACKEND == "django_tasks_rq.RQBackend":
        call_command(
            "rqworker", burst=True, worker_class="rq.SimpleWorker", job_class="django_tasks_rq.Job"
        )
    else:
        tasks.wait_until_idle()


def mark(*organizations: Organization) -> None:
    services.request_sync(organization_ids=[each.pk for each in organizations], now=timezone.now())


def unsynced() -> int:
    return Standing.objects.marked().count()


def test_a_mark_wakes_a_worker_who_syncs(payer: Payer, cast: Cast) -> None:
    work_off()
    payer.subscribe_at_stripe()
    mark(cast.acme)
    work_off()
    standing = Standing.objects.get(organization=cast.acme)
    assert (standing.status, standing.sync_requested_at) == (Status.CURRENT, None)


def test_a_burst_of_marks_is_one_or_two_syncs(payer: Payer, cast: Cast) -> None:
    work_off()
    # Stripe is slower than the burst.
    payer.sandbox.weather([{"path": "/v1/subscriptions", "delay_ms": 1000}])
    asked = len(payer.sandbox.requests())
    for _ in range(50):
        mark(cast.acme)
    work_off()
    calls = [call["path"] for call in payer.sandbox.requests()[asked:]]
    assert 1 <= calls.count("/v1/subscriptions") <= 2
    assert unsynced() == 0


def test_a_task_that_fails_keeps_its_mark_and_stops_no_other(payer: Payer, cast: Cast) -> None:
    other = OrganizationFactory.create()
    work_off()
    broken = Organization.objects.get(pk=cast.acme.pk).stripe_customer_id
    payer.sandbox.weather([{"path": f"/v1/customers/{broken}", "status": 500}])
    mark(cast.acme, other)
    work_off()
    assert Standing.objects.marked().get().organization == cast.acme

    payer.sandbox.weather([])
    services.sync_due(now=timezone.now())
    assert unsynced() == 0


def test_a_worker_that_never_comes_loses_nothing(payer: Payer, cast: Cast) -> None:
    work_off()
    payer.subscribe_at_stripe()
    # Marked past the queue, as when the process died between commit and wake-up call.
    Standing.objects.filter(organization=cast.acme).update(sync_requested_at=timezone.now())
    services.sync_due(now=timezone.now())
    assert Standing.objects.get(organization=cast.acme).status == Status.CURRENT


@pytest.mark.skipif(BACKEND not in WORKERS, reason="This process is its own worker.")
def test_tasks_that_wait_for_a_worker_are_counted(cast: Cast) -> None:
    def waiting() -> float:
        (found,) = [
            each for each in PresentCollector().collect() if each.name == "holdfast_tasks_waiting"
        ]
        return found.samples[0].value

    before = waiting()
    mark(cast.acme, OrganizationFactory.create())
    # The new one was marked when it was founded, too.
    assert waiting() - before == 3


@pytest.mark.process
@pytest.mark.skipif(BACKEND not in WORKERS, reason="tests/config/test_shutdown.py has those.")
def test_a_worker_that_is_told_to_end_finishes_what_it_has_in_hand(
    payer: Payer, cast: Cast, tmp_path: Path
) -> None:
    work_off()
    payer.subscribe_at_stripe()
    payer.sandbox.weather([{"path": "/v1/subscriptions", "delay_ms": 2000}])
    asked = len(payer.sandbox.requests())
    mark(cast.acme)
    environment = production(
        TASKS=os.environ["TASKS"], PROMETHEUS_MULTIPROC_DIR=str(tmp_path / "metrics")
    )
    with ManagedProcess(*WORKERS[BACKEND], env=environment) as process:
        payer.wait_for_call("GET", "/v1/subscriptions", after=asked)
        process.stop(within=30)
        assert process.returncode == 0, process.output
    standing = Standing.objects.get(organization=cast.acme)
    assert (standing.status, standing.sync_requested_at) == (Status.CURRENT, None)
    # Whatever it forks for a task, whoever is scraped on this machine tells of it.
    counted = MultiProcessCollector(None, str(tmp_path / "metrics")).collect()
    (syncs,) = [each for each in counted if each.name == "holdfast_syncs"]
    assert [(each.labels, each.value) for each in syncs.samples] == [({"outcome": "synced"}, 1.0)]
