"""What billing counts for Prometheus (docs/monitoring.md). Labels are few: none names anybody."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

from billing.access import Access

GATE_DECISIONS = Counter(
    "holdfast_gate_decisions",
    "Decisions on whether somebody may come in.",
    ["at", "answer", "reason"],
)
WEBHOOKS = Counter(
    "holdfast_webhooks", "Calls of Stripe's webhook, by what came of them.", ["outcome"]
)
SYNCS = Counter("holdfast_syncs", "Syncs with Stripe, by what came of them.", ["outcome"])
SYNC_LAG = Histogram(
    "holdfast_sync_lag_seconds",
    "From the mark of an organization until it is synced.",
    buckets=(0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900, 3600, 14400, 86400),
)
THREAD_TASKS = Gauge(
    "holdfast_thread_tasks_waiting",
    "Tasks that wait in the web processes themselves (TASKS=thread).",
    multiprocess_mode="livesum",
)


def count_decision(at: str, access: Access) -> None:
    """Count what the gate answered: at a `page`, or at the end of a `log_in`."""
    GATE_DECISIONS.labels(at, "let_in" if access.allowed else "refused", access.reason).inc()
