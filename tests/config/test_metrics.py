"""What Prometheus reads: who may, what is counted, and that several processes count together."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import yaml
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_tasks import task
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from billing import services, tasks
from billing.models import ReconcileRun, Standing, Status
from config import gauges, metrics
from config.gauges import PresentCollector
from config.processes import BASE_DIR
from tests.billing.test_webhooks import endpoint, event, post
from tests.cast import PASSWORD, Cast, OrganizationFactory, lock, signed_in
from tests.payer import Payer
from tests.web_process import WebProcess

__all__ = ["endpoint"]

TOKEN = "only-for-scrapes"
DOCUMENT = BASE_DIR / "docs" / "monitoring.md"
RULES = BASE_DIR / "deploy" / "prometheus-rules.yaml"


@pytest.fixture(autouse=True)
def _token(settings: Settings) -> None:
    settings.METRICS_TOKEN = TOKEN
    gauges._counted.cache_clear()


def scrape() -> str:
    answer = Client().get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    return answer.content.decode()


def value(name: str, **labels: str) -> float:
    """The value of a metric at a scrape; 0 where nothing was counted yet."""
    for family in text_string_to_metric_families(scrape()):
        for sample in family.samples:
            if sample.name == name and sample.labels == labels:
                return sample.value
    return 0.0


@pytest.mark.parametrize("sent", [None, "Bearer another", f"Basic {TOKEN}", TOKEN, "Bearer "])
def test_to_whoever_has_no_token_it_is_a_page_that_is_not_there(db: None, sent: str | None) -> None:
    answer = Client().get("/metrics", headers={"authorization": sent} if sent else None)
    assert answer.status_code == 404
    assert "holdfast_" not in answer.content.decode()


def test_without_a_token_nobody_reads_it(cast: Cast, settings: Settings) -> None:
    settings.METRICS_TOKEN = ""
    assert signed_in(cast.dana).get("/metrics").status_code == 404
    assert Client().get("/metrics", headers={"authorization": "Bearer "}).status_code == 404


def test_requests_are_counted_by_route_and_status(cast: Cast) -> None:
    labels = {"method": "GET", "route": "orgs:remove_member"}
    before = value("holdfast_requests_total", **labels, status="200")
    timed = value("holdfast_request_duration_seconds_count", **labels)
    assert signed_in(cast.alice).get(reverse("orgs:remove_member", args=[cast.bob.pk])).status_code
    assert value("holdfast_requests_total", **labels, status="200") == before + 1
    assert value("holdfast_request_duration_seconds_count", **labels) == timed + 1


def test_what_people_make_up_makes_no_series(db: None) -> None:
    before = value("holdfast_requests_total", method="other", route="unknown", status="404")
    for path in ("/one", "/two"):
        Client().generic("BREW", path)
    labels = {"method": "other", "route": "unknown", "status": "404"}
    assert value("holdfast_requests_total", **labels) == before + 2
    assert "BREW" not in scrape()


def test_probes_are_no_requests(db: None) -> None:
    before = [line for line in scrape().splitlines() if line.startswith("holdfast_requests_total")]
    Client().get("/health/live")
    after = [line for line in scrape().splitlines() if line.startswith("holdfast_requests_total")]
    assert after == before


def test_decisions_of_the_gate_are_counted_by_reason(cast: Cast) -> None:
    def counted(at: str, answer: str, reason: str) -> float:
        return value("holdfast_gate_decisions_total", at=at, answer=answer, reason=reason)

    kinds = [
        ("page", "refused", "organization_locked"),
        ("page", "let_in", "organization_locked"),
        ("page", "let_in", "open"),
        ("log_in", "refused", "organization_locked"),
    ]
    before = [counted(*kind) for kind in kinds]
    owner, member = signed_in(cast.alice), signed_in(cast.bob)
    member.get(reverse("home"))
    lock(cast.acme)
    member.get(reverse("home"))
    owner.get(reverse("home"))
    Client().post(reverse("account_login"), {"login": cast.bob.email, "password": PASSWORD})
    assert [counted(*kind) - was for kind, was in zip(kinds, before, strict=True)] == [1, 1, 1, 1]


def test_webhooks_are_counted_by_outcome(endpoint: Any) -> None:
    def counted(outcome: str) -> float:
        return value("holdfast_webhooks_total", outcome=outcome)

    before = {outcome: counted(outcome) for outcome in ("stored", "forged", "unsigned", "no_event")}
    post(endpoint, event())
    post(endpoint, event(), **{"stripe-signature": "t=1,v1=0"})
    post(endpoint, event(), **{"stripe-signature": ""})
    post(endpoint, {"id": "evt_2"})
    assert {outcome: counted(outcome) - was for outcome, was in before.items()} == dict.fromkeys(
        before, 1
    )


@pytest.mark.django_db(transaction=True)
def test_a_webhook_that_cannot_be_stored_is_counted_as_failed(
    endpoint: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = value("holdfast_webhooks_total", outcome="failed")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE djstripe_event RENAME TO djstripe_event_away")
        try:
            with pytest.raises(Exception, match="djstripe_event"):
                post(endpoint, event())
        finally:
            cursor.execute("ALTER TABLE djstripe_event_away RENAME TO djstripe_event")
    assert value("holdfast_webhooks_total", outcome="failed") == before + 1


@pytest.mark.django_db(transaction=True)
def test_a_sync_tells_how_long_it_was_waited_for(payer: Payer, cast: Cast) -> None:
    services.sync_organization(cast.acme)
    lag, synced = (
        value("holdfast_sync_lag_seconds_sum"),
        value("holdfast_syncs_total", outcome="synced"),
    )
    since = timezone.now() - timedelta(minutes=10)
    Standing.objects.filter(organization=cast.acme).update(sync_requested_at=since)
    assert value("holdfast_oldest_mark_age_seconds") == pytest.approx(600, abs=30)
    assert value("holdfast_marks") == 1
    services.sync_due(now=timezone.now())
    assert value("holdfast_sync_lag_seconds_sum") - lag == pytest.approx(600, abs=30)
    assert value("holdfast_syncs_total", outcome="synced") == synced + 1
    assert (value("holdfast_marks"), value("holdfast_oldest_mark_age_seconds")) == (0, 0)


def test_organizations_are_counted_by_standing(cast: Cast) -> None:
    OrganizationFactory.create()
    lock(cast.acme)
    assert value("holdfast_organizations", standing=Status.PAST_DUE) == 1
    assert value("holdfast_organizations", standing=Status.FREE) == 1
    assert value("holdfast_organizations", standing=Status.LAPSED) == 0


def test_a_scrape_counts_organizations_once_in_a_while_and_nothing_else_grows(cast: Cast) -> None:
    with CaptureQueriesContext(connection) as first:
        scrape()
    for _ in range(3):
        OrganizationFactory.create()
    with CaptureQueriesContext(connection) as second:
        scrape()
    assert len([each for each in first if "GROUP BY" in each["sql"]]) == 1
    assert not [each for each in second if "GROUP BY" in each["sql"]]
    assert len(second) == len(first) - 1 <= 9


going_on, may_end = threading.Event(), threading.Event()


@task()
def hold_up() -> None:
    going_on.set()
    may_end.wait(10)


def test_tasks_that_wait_in_this_process_are_counted(settings: Settings, db: None) -> None:
    settings.TASKS = {"default": {"BACKEND": "billing.tasks.ThreadBackend"}}
    for _ in range(3):
        hold_up.enqueue()
    assert going_on.wait(10)
    assert value("holdfast_thread_tasks_waiting") == 2
    may_end.set()
    tasks.wait_until_idle()
    assert value("holdfast_thread_tasks_waiting") == 0


@pytest.mark.process
@pytest.mark.django_db(transaction=True)
def test_whichever_process_of_gunicorn_is_scraped_it_tells_of_all() -> None:
    with WebProcess("--workers=3", "--threads=1") as web:
        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(lambda _: web.get("/billing/").status, range(30)))
        assert answers == [302] * 30
        counted = 'holdfast_requests_total{method="GET",route="billing:overview",status="302"} 30.0'
        assert all(counted in web.metrics() for _ in range(6))


# --- What the documentation says of it ----------------------------------------------------------


def metrics_of_ours() -> dict[str, tuple[str, ...]]:
    """Every metric by its name at Prometheus, with its labels."""
    found = {}
    for collector in {metrics.REQUESTS, *REGISTRY._names_to_collectors.values()}:
        name = getattr(collector, "_name", "")
        if name.startswith("holdfast_"):
            ending = "_total" if getattr(collector, "_type", "") == "counter" else ""
            found[name + ending] = tuple(getattr(collector, "_labelnames", ()))
    return found


def every_metric() -> dict[str, tuple[str, ...]]:
    """Those that are counted, and those of the present."""
    now = timezone.now()
    ReconcileRun.objects.create(started_at=now, touched_at=now, finished_at=now)
    present = {each.name: tuple(each.samples[0].labels) for each in PresentCollector().collect()}
    # The one that only a queue outside of the web process has (tests/billing/test_workers.py).
    return metrics_of_ours() | present | {"holdfast_tasks_waiting": ()}


def test_the_documentation_names_every_metric_with_its_labels(db: None) -> None:
    rows = re.findall(r"^\| `(holdfast_\w+)` \|([^|]*)\|", DOCUMENT.read_text(), re.MULTILINE)
    documented = {name: tuple(re.findall(r"`(\w+)`", labels)) for name, labels in rows}
    assert documented == every_metric()


def test_every_rule_asks_for_metrics_and_labels_that_are_there(db: None) -> None:
    known = every_metric()
    groups = yaml.safe_load(RULES.read_text())["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert len(rules) >= 8
    for rule in rules:
        assert rule.keys() == {"alert", "expr", "for", "labels", "annotations"}, rule
        asked = re.findall(r"(holdfast_\w+?)(?:_bucket|_count|_sum)?\b(?:{([^}]*)})?", rule["expr"])
        assert asked, rule
        for name, matchers in asked:
            labels = re.findall(r"(\w+)\s*(?:=|!|~)", matchers)
            assert set(labels) <= set(known[name]), rule["alert"]


def test_every_alert_says_what_it_means_and_what_to_do_first() -> None:
    documented = set(re.findall(r"^\| `(Holdfast\w+)` \|", DOCUMENT.read_text(), re.MULTILINE))
    groups = yaml.safe_load(RULES.read_text())["groups"]
    assert documented == {rule["alert"] for group in groups for rule in group["rules"]}
