"""The invariants of docs/rules.md as plain queries, for tests that write past everything."""

from __future__ import annotations

from typing import Any

from django.db import connection

FOUNDER = (
    "(SELECT user_id FROM accounts_usereventlog "
    "WHERE organization_id = o.id AND event = 'organization_founded')"
)
# Each finds what must not be.
BROKEN = {
    "I1: no owner": (
        "SELECT o.id FROM orgs_organization o LEFT JOIN accounts_user u ON u.id = o.owner_id "
        "WHERE u.id IS NULL"
    ),
    "I2, I3: the owner is no active member": (
        "SELECT o.id FROM orgs_organization o JOIN accounts_user u ON u.id = o.owner_id "
        "WHERE u.organization_id IS NULL OR u.organization_id <> o.id OR NOT u.is_active "
        "OR u.deleted_at IS NOT NULL OR u.user_type <> 'member'"
    ),
    "I4: a transfer does not begin where the one before it ended": (
        "SELECT id FROM (SELECT t.id, t.from_owner_id AS giver, lag(t.to_owner_id, 1, "
        f"{FOUNDER}) OVER (PARTITION BY o.id ORDER BY t.id) AS owner "
        "FROM orgs_ownershiptransfer t JOIN orgs_organization o ON o.id = t.organization_id"
        ") AS chain WHERE giver <> owner"
    ),
    "I4, I10: the owner is not who the record says": (
        "SELECT o.id FROM orgs_organization o WHERE o.owner_id <> coalesce("
        "(SELECT to_owner_id FROM orgs_ownershiptransfer "
        f"WHERE organization_id = o.id ORDER BY id DESC LIMIT 1), {FOUNDER})"
    ),
    "I6: a customer of two organizations": (
        "SELECT stripe_customer_id FROM orgs_organization WHERE stripe_customer_id IS NOT NULL "
        "GROUP BY stripe_customer_id HAVING count(*) > 1"
    ),
    "I6: members of an organization that is gone": (
        "SELECT u.id FROM accounts_user u LEFT JOIN orgs_organization o "
        "ON o.id = u.organization_id WHERE u.organization_id IS NOT NULL AND o.id IS NULL"
    ),
    "I8: a role held twice": (
        "SELECT user_id, role_id FROM orgs_userroleassignment WHERE is_active "
        "GROUP BY user_id, role_id HAVING count(*) > 1"
    ),
    "I8: kinds do not agree": (
        "SELECT a.id FROM orgs_userroleassignment a LEFT JOIN orgs_role r ON r.id = a.role_id "
        "WHERE r.id IS NULL OR r.kind <> a.kind "
        "OR (a.kind = 'organization') = (a.organization_id IS NULL)"
    ),
    "I8: ownership as a role": "SELECT id FROM orgs_role WHERE lower(key) = 'organization_owner'",
    "I9: a role held by whom it is not for": (
        "SELECT a.id FROM orgs_userroleassignment a LEFT JOIN accounts_user u ON u.id = a.user_id "
        "WHERE a.is_active AND (u.id IS NULL OR CASE a.kind WHEN 'developer' "
        "THEN u.user_type <> 'developer' ELSE coalesce(u.organization_id, 0) <> a.organization_id "
        "END)"
    ),
    "I9: another organization's own role": (
        "SELECT a.id FROM orgs_userroleassignment a JOIN orgs_role r ON r.id = a.role_id "
        "WHERE r.organization_id <> coalesce(a.organization_id, -r.organization_id)"
    ),
}
HISTORY = (
    "SELECT * FROM orgs_ownershiptransfer ORDER BY id",
    "SELECT * FROM accounts_usereventlog ORDER BY id",
)
STATE = (
    "SELECT id, owner_id FROM orgs_organization ORDER BY id",
    "SELECT id, organization_id, is_active, deleted_at, user_type FROM accounts_user ORDER BY id",
    *HISTORY,
)


def rows(query: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())
