"""From a row in the admin to the organization that it belongs to."""

from __future__ import annotations

from django.urls import reverse
from django.utils.html import format_html

from orgs.models import Organization


def organization_link(organization: Organization | None) -> str:
    if organization is None:
        return "-"
    url = reverse("admin:orgs_organization_change", args=[organization.pk])
    return format_html('<a href="{}">{}</a>', url, organization.name)
