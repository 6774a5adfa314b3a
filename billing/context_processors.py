from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.models import User
from billing.banners import Banner, banner_for
from billing.models import Standing
from orgs import clock


def billing(request: HttpRequest) -> dict[str, Any]:
    """Offer `banner` to the pages; it is looked up by those that show it."""
    return {"banner": SimpleLazyObject(lambda: _banner(request))}


def _banner(request: HttpRequest) -> Banner | None:
    person = getattr(request, "user", None)
    if not isinstance(person, User) or person.organization is None:
        return None
    organization = person.organization
    standing = Standing.objects.filter(organization=organization).first()
    if standing is None:
        return None
    is_owner = organization.owner_id == person.pk
    return banner_for(organization, standing, is_owner=is_owner, now=clock.now())
