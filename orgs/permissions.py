"""Who may do what: one question, one answer, and its reason (docs/rules.md, "Permissions").

A role or a direct grant gives a permission, AND the organization's tier entitles it. Ownership is
not a role: the owner holds whatever the tier entitles. Which organizations our own staff see in
the admin is the same answer, for all of them at once: `seen_by`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from django.contrib.auth.models import Permission
from django.db import connection
from django.db.models import QuerySet

from accounts.models import User
from orgs import clock, models
from orgs.models import FREE_TIER_KEY, Grant, Organization, UserRoleAssignment

# Where what was asked for is kept with the person, for as long as the request lasts.
CACHE = "_organization_permissions"
SEES_ALL = "_sees_all_organizations"
# The first role held that gives each permission. PostgreSQL looks at all that is given.
FIRST_OF_ALL = """
SELECT given.permission_id, MIN(given.role_id) AS role_id
FROM orgs_userroleassignment held
JOIN orgs_role_permissions given ON given.role_id = held.role_id
WHERE held.is_active AND held.user_id = %(user)s
    AND (held.organization_id = %(organization)s OR held.organization_id IS NULL)
GROUP BY given.permission_id
"""
# SQLite would sort all that is given, which with a hundred roles takes five times as long as the
# rest. So it goes from each permission that anybody's role gives to the next, and down the roles
# held until one gives it: slow only where many roles give few of many permissions.
FIRST_OF_EACH = """
WITH RECURSIVE given(permission_id) AS (
    SELECT MIN(permission_id) FROM orgs_role_permissions
    UNION ALL
    SELECT (
        SELECT permission_id FROM orgs_role_permissions
        WHERE permission_id > given.permission_id ORDER BY permission_id LIMIT 1
    )
    FROM given WHERE permission_id IS NOT NULL
)
SELECT permission_id, (
    SELECT held.role_id
    FROM orgs_userroleassignment held CROSS JOIN orgs_role_permissions gives
    WHERE held.is_active AND held.user_id = %(user)s
        AND (held.organization_id = %(organization)s OR held.organization_id IS NULL)
        AND gives.role_id = held.role_id AND gives.permission_id = given.permission_id
    ORDER BY held.role_id LIMIT 1
) AS role_id
FROM given WHERE permission_id IS NOT NULL
"""
# Where each permission comes from: source, `app.codename`, key of the first role that gives it.
# Written out, because Django takes longer to compose it than a database to answer it. CROSS JOIN
# has SQLite take the tables in this order.
HELD = """
SELECT source, app_label || '.' || codename, role_key
FROM (
    SELECT 'role' AS source, permission_id, role.key AS role_key
    FROM ({first_given}) first_given CROSS JOIN orgs_role role
    WHERE role.id = role_id
    UNION ALL
    SELECT 'grant', permission_id, ''
    FROM orgs_grant WHERE user_id = %(user)s AND content_object_id = %(organization)s
    UNION ALL
    SELECT 'tier', permission_id, ''
    FROM orgs_tier_entitlements WHERE tier_id = (SELECT id FROM orgs_tier WHERE key = %(tier)s)
) found
CROSS JOIN auth_permission CROSS JOIN django_content_type
WHERE auth_permission.id = permission_id AND django_content_type.id = content_type_id
"""
HELD_ON = {
    "postgresql": HELD.format(first_given=FIRST_OF_ALL),
    "sqlite": HELD.format(first_given=FIRST_OF_EACH),
}
ANY_TIME = datetime.max.replace(tzinfo=UTC)
# What tiers can entitle. Django's own (view, change, ...) are for staff alone, in the admin.
FEATURES = frozenset(f"orgs.{codename}" for codename in models.FEATURES)
VIEW, CHANGE = "orgs.view_organization", "orgs.change_organization"


class Leg(StrEnum):
    """What an answer rests on: the first four allow, the others refuse."""

    OWNER = "owner"
    ROLE = "role"
    GRANT = "grant"
    DEVELOPER = "developer"
    NO_ROLE = "no_role"
    TIER = "tier"
    LOCKED = "locked"
    CLOSED = "closed"
    NOT_A_MEMBER = "not_a_member"
    INACTIVE = "inactive"


@dataclass(frozen=True)
class Verdict:
    """Whether it is allowed and why. `detail` is the key of the role that gives it, or of the
    tier that does not entitle it; else empty."""

    allowed: bool
    leg: Leg
    detail: str = ""


@dataclass(frozen=True)
class Holdings:
    """What the database says of one person in one organization: permissions as `app.codename`."""

    # The key of a role for each permission that an active role gives.
    roles: dict[str, str]
    grants: frozenset[str]
    entitlements: frozenset[str]
    # A member's answer for each permission that a role, or else a grant, gives: made once, because
    # making it takes as long as finding it. The tier's ceiling is not in it.
    given: dict[str, Verdict]


BY_OWNERSHIP = Verdict(True, Leg.OWNER)
BY_GRANT = Verdict(True, Leg.GRANT)


def explain(user: User, permission: str, organization: Organization, now: datetime) -> Verdict:
    """Answer whether a person may do something in an organization, and why.

    `permission` is `app.codename`. Makes one statement for each person and organization, on the
    first question; `forget` has the next one ask again. What is no feature, and neither a role
    nor a grant gives, is Django's to answer, by its own statements.
    """
    if not user.is_present:
        return Verdict(False, Leg.INACTIVE)
    if user.is_developer:
        return _of_developer(user, permission, organization, now)
    if user.organization_id != organization.id:
        return Verdict(False, Leg.NOT_A_MEMBER)
    if organization.closed_at is not None:
        return Verdict(False, Leg.CLOSED)
    is_owner = organization.owner_id == user.id
    is_locked = organization.is_locked(now)
    if is_locked and not is_owner:
        return Verdict(False, Leg.LOCKED)
    held = holdings(user, organization, now)
    given = BY_OWNERSHIP if is_owner else held.given.get(permission)
    if given is None:
        return Verdict(False, Leg.NO_ROLE)
    if permission not in held.entitlements:
        # Only the owner gets here while it is locked, with what the free tier entitles.
        leg = Leg.LOCKED if is_locked else Leg.TIER
        return Verdict(False, leg, _tier_key(organization, now))
    return given


def _of_developer(
    user: User, permission: str, organization: Organization, now: datetime
) -> Verdict:
    """Our own staff: by their roles, whatever the organization's tier, lock or closing; by direct
    grants, under the tier's ceiling; in the admin, by groups and user permissions too."""
    if user.is_superuser:
        return Verdict(True, Leg.DEVELOPER)
    held = holdings(user, organization, now)
    if permission in held.roles:
        return Verdict(True, Leg.DEVELOPER, held.roles[permission])
    is_feature = permission in FEATURES
    if permission in held.grants:
        if is_feature and permission not in held.entitlements:
            return Verdict(False, Leg.TIER, _tier_key(organization, now))
        return BY_GRANT
    # Without an organization, so this does not come back here.
    if not is_feature and user.has_perm(permission):
        return Verdict(True, Leg.DEVELOPER)
    return Verdict(False, Leg.NO_ROLE)


def holdings(user: User, organization: Organization, now: datetime) -> Holdings:
    """Return what roles and grants give a person here, and what the tier entitles.

    One statement, kept with the person.
    """
    cache: dict[tuple[int, int | None], Holdings] = user.__dict__.setdefault(CACHE, {})
    # The tier by its id, which is at hand. None: the free one.
    key = (organization.id, None if organization.is_locked(now) else organization.tier_id)
    held = cache.get(key)
    if held is None:
        held = cache[key] = _load(user, organization, _tier_key(organization, now))
    return held


def forget(user: User) -> None:
    """Have the next question about this person ask the database again."""
    user.__dict__.pop(CACHE, None)
    user.__dict__.pop(SEES_ALL, None)


def _tier_key(organization: Organization, now: datetime) -> str:
    """Return the key of `tier_at(now)`; the free tier itself need not be loaded for it."""
    tier = organization.tier
    return FREE_TIER_KEY if tier is None or organization.is_locked(now) else tier.key


def _load(user: User, organization: Organization, tier: str) -> Holdings:
    found: dict[str, dict[str, str]] = {"role": {}, "grant": {}, "tier": {}}
    with connection.cursor() as cursor:
        held = HELD_ON[cursor.db.vendor]
        cursor.execute(held, {"user": user.pk, "organization": organization.pk, "tier": tier})
        for source, permission, role in cursor.fetchall():
            found[source][permission] = role
    given = dict.fromkeys(found["grant"], BY_GRANT)
    by_role = {role: Verdict(True, Leg.ROLE, role) for role in {*found["role"].values()}}
    given |= {permission: by_role[role] for permission, role in found["role"].items()}
    return Holdings(found["role"], frozenset(found["grant"]), frozenset(found["tier"]), given)


def seen_by(user: User) -> QuerySet[Organization]:
    """Return the organizations whose `VIEW` `explain` allows one of our own staff.

    Theirs is a subquery, so that nothing grows with how many there are.
    """
    if sees_all(user):
        return Organization.objects.all()
    if not (user.is_present and user.is_developer):
        return Organization.objects.none()
    granted = Grant.objects.filter(user=user, permission=_viewing()).values("content_object")
    return Organization.objects.filter(pk__in=granted)


def sees_all(user: User) -> bool:
    """Whether Django's permission or a role shows every organization to one of our own staff.

    One statement, kept with the person. As a part of `seen_by`'s it would have the database look
    at all organizations.
    """
    if not (user.is_present and user.is_developer):
        return False
    if SEES_ALL not in user.__dict__:
        held = UserRoleAssignment.objects.active().filter(user=user, role__permissions=_viewing())
        user.__dict__[SEES_ALL] = user.has_perm(VIEW) or held.exists()
    return bool(user.__dict__[SEES_ALL])


def _viewing() -> QuerySet[Permission]:
    """One row, which is no further table to join: PostgreSQL finds the best order of eight."""
    app, _dot, codename = VIEW.partition(".")
    return Permission.objects.filter(content_type__app_label=app, codename=codename)[:1]


def allows(user: User, permission: str, organization: Organization) -> bool:
    """Answer Django's own question, `user.has_perm("orgs.invite_members", organization)`."""
    # Without a lock nothing is judged by the clock, and reading it takes a third of the time.
    now = ANY_TIME if organization.locked_from is None else clock.now()
    return explain(user, permission, organization, now).allowed


User.judges[Organization] = allows
