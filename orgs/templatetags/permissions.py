from __future__ import annotations

from django import template

from accounts.models import User
from orgs import clock
from orgs.models import Organization
from orgs.permissions import explain

register = template.Library()


@register.simple_tag
def may(user: User, permission: str, organization: Organization) -> bool:
    """Say whether a person may do something: `{% may user "orgs.invite_members" team as ok %}`."""
    return explain(user, permission, organization, clock.now()).allowed
