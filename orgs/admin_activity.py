"""Staff's page of how many people and organizations are active, week by week."""

from __future__ import annotations

from datetime import date

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.activity import Week
from accounts.admin_base import actor_of
from accounts.admin_csv import log_export
from accounts.csv import stream_csv
from orgs.admin_scope import sees_any
from orgs.engagement import weeks_seen_by
from orgs.models import Organization


@require_safe
def activity_view(request: HttpRequest) -> HttpResponse:
    weeks = _weeks(request)
    page = {
        **admin.site.each_context(request),
        "opts": Organization._meta,
        "title": _("Activity by week"),
        # The newest first: it is what people look for.
        "weeks": reversed(weeks),
        "present": weeks[-1].monday,
        "chart": _chart(weeks),
    }
    return render(request, "admin/orgs/organization/activity.html", page)


@require_safe
def activity_csv_view(request: HttpRequest) -> StreamingHttpResponse:
    weeks = _weeks(request)
    log_export(request, "activity")
    header = [_("week"), _("active people"), _("active organizations")]
    rows = ([week.monday, week.people, week.organizations] for week in weeks)
    return stream_csv(_("activity by week"), header, rows)


def _weeks(request: HttpRequest) -> list[Week]:
    """Whoever sees an organization in the admin sees its part."""
    if not sees_any(request.user):
        raise PermissionDenied
    return weeks_seen_by(actor_of(request), timezone.now())


def _chart(weeks: list[Week]) -> dict[str, object]:
    """What static/chart.js draws. Colours are named as in the admin's style; one line is dashed, so
    that nobody has to tell them apart by colour."""
    return {
        "labels": [_shown(week.monday) for week in weeks],
        "lines": [
            {
                "label": _("Active people"),
                "data": [week.people for week in weeks],
                "colour": "--link-fg",
            },
            {
                "label": _("Active organizations"),
                "data": [week.organizations for week in weeks],
                "colour": "--body-fg",
                "borderDash": [6, 4],
            },
        ],
    }


def _shown(monday: date) -> str:
    return date_format(monday, "SHORT_DATE_FORMAT")
