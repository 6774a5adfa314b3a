"""However long the log is, a page of it reads a page's worth of lines, by an index."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from orgs.models import Organization, Tier
from tests.cast import Cast, signed_in
from tests.orgs.many_rows import plan, rows_read, statements

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]

LINES = 200_000
# A page's lines and whom they name, or the keys of those that are paged through.
MOST_READ = 1_100
# Bob's lines are the oldest, a rare kind is strewn among the others, one line in fifty is Acme's.
FILL = f"""
INSERT INTO accounts_usereventlog (event, user_id, actor_id, organization_id, data, device,
    request_id, created_at)
SELECT CASE WHEN n %% 10000 = 0 THEN 'lock_began' ELSE 'login' END,
    CASE WHEN n <= 300 THEN %(bob)s ELSE %(charlie)s END,
    CASE WHEN n <= 300 THEN %(bob)s ELSE %(charlie)s END,
    CASE WHEN n %% 50 = 0 THEN %(acme)s END, '{{}}', '', '',
    now() - ({LINES} - n) * interval '1 minute'
FROM generate_series(1, {LINES}) AS n
"""


def fill(cast: Cast) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        keys = {"bob": cast.bob.pk, "charlie": cast.charlie.pk, "acme": cast.acme.pk}
        cursor.execute(FILL, keys)
        cursor.execute("ANALYZE accounts_usereventlog")
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")


def cost(person: User, page: str, **query: str) -> int:
    client = signed_in(person)
    asked = [sql for sql in statements(lambda: client.get(page, query)) if "eventlog" in sql]
    assert asked
    for sql in asked:
        assert "Seq Scan on accounts_usereventlog" not in plan(sql), sql
    return max(map(rows_read, asked))


def test_pages_of_the_log_read_what_they_show(cast: Cast) -> None:
    fill(cast)
    Organization.objects.update(tier=Tier.objects.get(key="business"))
    log = reverse("admin:accounts_usereventlog_changelist")
    # When a third of the lines were still to come.
    long_ago = timezone.now() - timedelta(minutes=LINES // 3)
    for query in (
        {},
        {"p": "10"},
        {"kind": "lock_began"},
        {"kind": "login", "days": "30"},
        {"days": "1"},
        {"days": "365"},
        {"q": "bob@example.com"},
        {"q": "charlie@example.com"},
        {"q": "acme", "kind": "lock_began"},
        {"user__id__exact": str(cast.bob.pk)},
        {"id__lt": "1000000"},
        *({"on": f"{long_ago:{how}}"} for how in ("%Y", "%Y-%m", "%Y-%m-%d")),
        {"on": f"{long_ago:%Y-%m}", "kind": "lock_began"},
        {"on": f"{long_ago:%Y-%m}", "q": "bob@example.com"},
        {"on": "2001-09-11"},
    ):
        assert cost(cast.dana, log, **query) <= MOST_READ, query
    assert cost(cast.bob, reverse("accounts:security")) <= MOST_READ
    activity = reverse("orgs:activity")
    for query in ({}, {"kind": "login"}, {"first_day": "2020-01-01"}):
        assert cost(cast.alice, activity, **query) <= MOST_READ, query
