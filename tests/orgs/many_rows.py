"""As many rows as a large installation has, past the services, and what a page reads of them.

A hundred thousand people, each with a role, in twenty thousand organizations with all that
belongs to one. The rare ones are the oldest, where the newest-first lists come last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from orgs.models import Role, Tier
from orgs.permissions import VIEW
from tests.cast import Cast
from tests.staff import number_of

PEOPLE, TEAMS = 100_000, 20_000
# So many of the people are Acme's, and so many rows of each kind are rare.
MEMBERS, RARE = 1_000, 200
ID = "1000000 + n"
TEAM = f"CASE WHEN n <= {MEMBERS} THEN %(acme)s WHEN n <= {PEOPLE - 20} THEN {ID} %% {TEAMS} END"
KIND = f"CASE WHEN n <= {PEOPLE - 20} THEN '%s' ELSE 'developer' END"
# Every three minutes somebody else, Acme's people half a year ago, and the rare ones never.
ACTIVE = f"CASE WHEN n > {RARE} THEN now() - ({PEOPLE} - n) * interval '3 minutes' END"
OF_PEOPLE = f"FROM generate_series(1, {PEOPLE}) AS n"
OF_TEAMS = f"FROM generate_series(1, {TEAMS}) AS n"
# Twelve letters and digits that no two numbers share.
WORD = "left(md5(n::text), 12)"
FILL = [
    f"""
    INSERT INTO accounts_user (id, email, name, password, user_type, is_active, is_staff,
        is_superuser, deleted_at, created_at, session_generation, organization_id, last_active)
    SELECT {ID}, CASE WHEN n <= {RARE} THEN 'old-' ELSE '' END || {WORD} || '@many.example',
        'Person ' || {WORD}, '', {KIND % "member"},
        n > {RARE}, n > {PEOPLE - 10}, false, CASE WHEN n <= {RARE} / 2 THEN now() END, now(), 0,
        {TEAM}, {ACTIVE} {OF_PEOPLE}
    """,
    f"""
    INSERT INTO orgs_organization (id, name, slug, owner_id, billing_email, created_at, tier_id)
    SELECT {ID}, 'Team ' || n, 'team-' || {WORD}, {ID}, '', now(),
        CASE WHEN n <= {RARE} THEN %(tier)s END {OF_TEAMS}
    """,
    f"""
    INSERT INTO orgs_role (id, key, name, kind, organization_id)
    SELECT {ID}, 'own_' || {WORD}, 'Own ' || n, 'organization', {ID} {OF_TEAMS}
    """,
    f"""
    INSERT INTO orgs_userroleassignment (user_id, role_id, kind, role_scope, organization_id,
        is_active, assigned_at, revoked_at)
    SELECT {ID}, CASE WHEN n <= {PEOPLE - 20} THEN
            CASE WHEN n %% 2 = 0 AND n <= 2 * {MEMBERS} THEN %(admin)s ELSE %(member)s END
        ELSE %(support)s END, {KIND % "organization"}, 'built-in', {TEAM},
        n > {RARE}, now(), CASE WHEN n <= {RARE} THEN now() END {OF_PEOPLE}
    """,
    f"""
    INSERT INTO orgs_grant (user_id, permission_id, content_object_id)
    SELECT {ID}, %(view)s, {ID} {OF_TEAMS}
    """,
    f"""
    INSERT INTO orgs_invitation (organization_id, email, created_at, expires_at)
    SELECT {ID}, {WORD} || '@many.example', now(), now() {OF_TEAMS}
    """,
    f"""
    INSERT INTO billing_standing (organization_id, status, reason, generation, customer_key,
        exempt_reason, unconfirmed_invoice)
    SELECT {ID}, CASE WHEN n <= {RARE} THEN 'lapsed' ELSE 'free' END, '', 1, gen_random_uuid(),
        '', ''
    {OF_TEAMS}
    """,
    f"""
    INSERT INTO billing_movement (line_id, organization_id, created_at, kind, month, currency)
    SELECT {ID}, {ID}, now(), CASE WHEN n <= {RARE} THEN 'left' ELSE 'new' END,
        date_trunc('month', now() AT TIME ZONE 'UTC')
            - CASE WHEN n <= {RARE} THEN interval '1 month' ELSE interval '0' END, 'eur'
    {OF_TEAMS}
    """,
    f"""
    INSERT INTO billing_payermail (organization_id, kind, stripe_object, since, facts, created_at,
        attempts, last_error, sent_at)
    SELECT {ID}, 'receipt', 'in_' || n, now(), '{{}}', now(), 1, '', now() {OF_TEAMS}
    """,
    f"""
    INSERT INTO billing_reconcilefinding (run_id, organization_id, customer, finding, what,
        found_at, repaired_at)
    SELECT 1, {ID}, '', 'standing', n::text, now(), now() {OF_TEAMS}
    """,
]
# Afterwards one is left whose address begins with `old-`. PostgreSQL still believes in all of them;
# in a table ten times as large it believes in as many of whatever is looked for.
FEWER = f"""
    UPDATE accounts_user SET email = 'x' || email WHERE id BETWEEN 1000001 AND {999_999 + RARE}
"""


def fill(cast: Cast) -> None:
    keys = dict(Role.objects.filter(organization=None).values_list("key", "pk"))
    keys |= {"acme": cast.acme.pk, "view": number_of(VIEW), "tier": Tier.objects.get(key="pro").pk}
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for statement in FILL:
            cursor.execute(statement, keys)
        cursor.execute("ANALYZE")
        cursor.execute(FEWER)
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")


def statements(page: Callable[[], object]) -> list[str]:
    """What somebody who opens a page has the database look for."""
    with CaptureQueriesContext(connection) as captured:
        page()
    asked = [each["sql"] for each in captured.captured_queries]
    return [sql for sql in asked if sql.startswith("SELECT")]


def plan(statement: str) -> str:
    """How the database would go about it."""
    how = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
    with connection.cursor() as cursor:
        cursor.execute(f"{how} {statement}")
        return "\n".join(str(row[-1]) for row in cursor.fetchall())


def rows_read(statement: str) -> int:
    """How many rows PostgreSQL takes from tables, those included that it then throws away."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}")
        ((answer,),) = cursor.fetchall()
    return sum(_taken(node) for node in _nodes(answer[0]["Plan"]) if "Relation Name" in node)


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for below in node.get("Plans", []):
        yield from _nodes(below)


def _taken(node: dict[str, Any]) -> int:
    removed = sum(number for fact, number in node.items() if fact.startswith("Rows Removed by"))
    return int((node["Actual Rows"] + removed) * node["Actual Loops"])
