"""What the tests of tiers share."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Permission
from django.utils import timezone

from accounts.models import User
from orgs import services
from orgs.models import Organization, Role, Tier, features
from orgs.permissions import Verdict, explain

ACTIVITY = "orgs.view_activity"


def some(*names: str) -> list[Permission]:
    return list(features().filter(codename__in=names))


def tier(key: str = "pro") -> Tier:
    return Tier.objects.get(key=key)


def values_of(key: str = "pro", **changes: Any) -> dict[str, Any]:
    row = tier(key)
    return {
        "name": row.name,
        "rank": row.rank,
        "is_offered": row.is_offered,
        "seat_limit": row.seat_limit,
        "entitlements": list(row.entitlements.all()),
    } | changes


def change(by: User, key: str = "pro", **changes: Any) -> None:
    services.change_tier(tier=tier(key), by=by, **values_of(key, **changes))


def all_but(*names: str, key: str = "pro") -> list[Permission]:
    return list(tier(key).entitlements.exclude(codename__in=names))


def put_on(organization: Organization, key: str | None = "pro") -> None:
    chosen = tier(key) if key else None
    Organization.objects.filter(pk=organization.pk).update(tier=chosen)


def give(person: User, key: str, by: User) -> None:
    role = Role.objects.get(key=key, organization=None)
    services.assign_role(user=person, role=role, by=by, now=timezone.now())


def ask(person: User, permission: str) -> Verdict:
    person = User.objects.get_queryset().with_access().get(pk=person.pk)
    assert person.organization is not None
    return explain(person, permission, person.organization, timezone.now())
