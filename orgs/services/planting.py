"""What must always be there: tiers with what they entitle to, and the built-in roles."""

from __future__ import annotations

from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Permission
from django.db import transaction
from django.utils.translation import gettext_noop as _

from orgs.models import FREE_TIER_KEY, Role, RoleKind, Tier

BASIC = ("invite_members", "remove_members", "assign_roles", "change_details", "view_billing")
LOGGED = (*BASIC, "view_activity")
EVERYTHING = (*LOGGED, "export_activity", "create_roles")

DEFAULT_TIERS = (
    ({"key": FREE_TIER_KEY, "name": "Free", "rank": 0, "seat_limit": 3}, BASIC),
    ({"key": "pro", "name": "Pro", "rank": 10, "seat_limit": 20}, LOGGED),
    ({"key": "business", "name": "Business", "rank": 20, "seat_limit": None}, EVERYTHING),
)
DEFAULT_ROLES = (
    ("admin", _("Admin"), RoleKind.ORGANIZATION, EVERYTHING),
    ("billing_viewer", _("Billing viewer"), RoleKind.ORGANIZATION, ("view_billing",)),
    ("member", _("Member"), RoleKind.ORGANIZATION, ("view_activity",)),
    ("support", _("Support"), RoleKind.DEVELOPER, ("view_billing", "view_activity")),
    ("engineer", _("Engineer"), RoleKind.DEVELOPER, EVERYTHING),
)


@transaction.atomic
def plant_defaults(*, using: str = "default") -> None:
    """Create the default tiers and built-in roles that are missing.

    Safe to repeat, and repeated after each migrate. What is there stays as staff made it; a
    tier that was planted before there were permissions gets those that it entitles to.
    """
    create_permissions(apps.get_app_config("orgs"), verbosity=0, using=using)
    permissions = {
        each.codename: each
        for each in Permission.objects.using(using).filter(
            content_type__app_label="orgs", codename__in=EVERYTHING
        )
    }
    is_first_time = not Role.objects.using(using).exists()
    for fields, entitlements in DEFAULT_TIERS:
        tier, is_new = Tier.objects.using(using).get_or_create(key=fields["key"], defaults=fields)
        if is_new or is_first_time:
            tier.entitlements.add(*(permissions[name] for name in entitlements))
    for key, name, kind, given in DEFAULT_ROLES:
        role, is_new = Role.objects.using(using).get_or_create(
            key=key, organization=None, defaults={"name": name, "kind": kind}
        )
        if is_new:
            role.permissions.add(*(permissions[each] for each in given))
