"""What the product tells Prometheus: what its processes have counted, and how things stand now."""

from __future__ import annotations

from django.conf import settings
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from config.gauges import PresentCollector

REQUESTS = Counter(
    "holdfast_requests", "Requests that were answered.", ["method", "route", "status"]
)
DURATIONS = Histogram(
    "holdfast_request_duration_seconds",
    "From a request's arrival until its answer.",
    ["method", "route"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)


def exposition() -> bytes:
    """Return all metrics in Prometheus' text format."""
    registry = CollectorRegistry()
    if settings.METRIC_PLACES is None:
        registry.register(REGISTRY)
    else:
        settings.METRIC_PLACES.forget_the_dead()
        MultiProcessCollector(registry)
    registry.register(PresentCollector())
    return generate_latest(registry)
