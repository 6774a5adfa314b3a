"""The sweep runs each minute: what it looks for is found by partial indexes that hold only that."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from billing.models import Standing

pytestmark = pytest.mark.django_db

SYNCED_LONG_AGO = 100_000
# Past the keys: what a hundred thousand organizations are called does not matter here.
FILL = """
INSERT INTO billing_standing (organization_id, status, reason, generation, customer_key, synced_at,
    exempt_reason, unconfirmed_invoice)
SELECT 1000000 + n, 'free', '', 1, gen_random_uuid(), now(), '', '' FROM generate_series(1, %s) AS n
"""


@pytest.fixture
def many() -> None:
    """A hundred thousand standings on PostgreSQL, whose planner looks at how many there are."""
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(FILL, [SYNCED_LONG_AGO])
        cursor.execute("ANALYZE billing_standing")


@pytest.mark.parametrize(
    ("look", "index"),
    [
        pytest.param("due", "billing_standing_marked", id="marked"),
        pytest.param("stale", "billing_standing_stale", id="not heard of"),
        pytest.param("lock_begun", "billing_standing_locks_ahead", id="locks begun"),
        pytest.param("about_to_lock", "billing_standing_locks_ahead", id="locks near"),
        pytest.param("exemption_over", "billing_standing_exempt", id="exemptions over"),
    ],
)
def test_the_sweep_looks_into_a_partial_index_alone(many: None, look: str, index: str) -> None:
    found: QuerySet[Any] = getattr(Standing.objects, look)(timezone.now())
    for statement in (found, found.order_by().values("pk")):
        plan = statement.explain()
        assert index in plan
        assert "Seq Scan on billing_standing" not in plan
        assert "SCAN billing_standing" not in plan.replace(f"USING INDEX {index}", "")
