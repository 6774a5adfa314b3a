"""Our own staff, with as much as a test gives them."""

from __future__ import annotations

from django.contrib.auth.models import Permission
from django.utils import timezone

from accounts.models import User
from orgs import services
from orgs.models import Grant, Organization
from tests.cast import PersonFactory


def make_developer(*permissions: str, **fields: object) -> User:
    """A developer who may open the admin, with these of Django's model-level permissions."""
    person: User = PersonFactory.create(**{"user_type": "developer", "is_staff": True} | fields)
    allow(person, *permissions)
    return person


def allow(person: User, *permissions: str) -> None:
    person.user_permissions.add(*(number_of(permission) for permission in permissions))


def number_of(permission: str) -> int:
    """The key of a permission that is named as `app.codename`."""
    app, codename = permission.split(".")
    return Permission.objects.get(content_type__app_label=app, codename=codename).pk


def grant(person: User, permission: str, organization: Organization, by: User) -> Grant:
    return services.grant_permission(
        user=person, permission=permission, organization=organization, by=by, now=timezone.now()
    )


def revoke(person: User, permission: str, organization: Organization, by: User) -> None:
    services.revoke_permission(
        user=person, permission=permission, organization=organization, by=by, now=timezone.now()
    )
