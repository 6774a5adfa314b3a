from __future__ import annotations

from allauth.decorators import rate_limit
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.csv import stream_csv
from accounts.log_pages import page_of
from orgs import clock, services
from orgs.activity import entries, lines_of
from orgs.decorators import MemberRequest, permission_required
from orgs.forms_activity import ActivityFilterForm
from orgs.permissions import explain


@require_safe
@permission_required("orgs.view_activity")
def activity(request: MemberRequest) -> HttpResponse:
    form = ActivityFilterForm(request.GET)
    before = request.GET.get("before", "")
    lines, older = page_of(lines_of(request.organization, form.wanted), before)
    query = request.GET.copy()
    query["before"] = str(older)
    export = explain(request.user, "orgs.export_activity", request.organization, clock.now())
    context = {
        "organization": request.organization,
        "filter": form,
        "entries": list(entries(lines)),
        "older": f"?{query.urlencode()}" if older else "",
        "is_first": not before,
        "may_export": export.allowed,
    }
    return render(request, "orgs/activity.html", context)


@require_POST
@permission_required("orgs.export_activity")
@rate_limit(action="export")  # type: ignore[untyped-decorator]
def export_activity(request: MemberRequest) -> HttpResponseBase:
    """Send the lines that the page's filters find, all of them."""
    wanted = ActivityFilterForm(request.POST).wanted
    services.record_activity_export(organization=request.organization, by=request.user)
    header = [_("Time (UTC)"), _("Who"), _("What"), _("Details"), _("By")]
    rows = (
        (each.at, each.who, each.what, each.details, each.by)
        for each in entries(lines_of(request.organization, wanted))
    )
    return stream_csv(f"activity-{request.organization.slug}", header, rows)
