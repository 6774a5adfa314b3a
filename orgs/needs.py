"""What needs a human: the lines with which the admin's front page begins (docs/rules.md, "What
needs a human"). Each room adds its own to `NEEDS`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orgs.models import Organization, OwnershipTransferRequest

# So many are counted, and no more: what waits is looked at by people.
MOST = 100
LOCKED_RECENTLY = timedelta(days=1)

Count = Callable[[HttpRequest, datetime], int]


@dataclass(frozen=True)
class Need:
    """A line: what waits, what to do next, the list of the admin that shows it, and how many.

    `page` is the list's URL name, and `query` what it is asked, so that it shows the rows that
    `count` counts.
    """

    what: str | Promise
    next_step: str | Promise
    page: str
    query: str
    count: Count


@dataclass(frozen=True)
class Line:
    number: str
    what: str | Promise
    next_step: str | Promise
    url: str


NEEDS: list[Need] = []


def rows_of(model: type[Model], narrow: Callable[[Any, datetime], QuerySet[Any]]) -> Count:
    """Count what a list of the admin shows to whoever asks, narrowed; `MOST` and one at most.

    `narrow` is to be served by an index: this is asked each time that the front page opens.
    """

    def count(request: HttpRequest, now: datetime) -> int:
        listed = admin.site.get_model_admin(model)
        if not listed.has_view_permission(request):
            return 0
        rows = narrow(listed.get_queryset(request), now).order_by()
        return len(rows.values_list("pk", flat=True)[: MOST + 1])

    return count


def lines_for(request: HttpRequest, now: datetime) -> list[Line]:
    """Return a line for each need that has something, within the scope of whoever asks."""
    lines = []
    for need in NEEDS:
        count = need.count(request, now)
        if count:
            number = str(count) if count <= MOST else _("%(most)d or more") % {"most": MOST}
            url = reverse(need.page) + (f"?{need.query}" if need.query else "")
            lines.append(Line(number, need.what, need.next_step, url))
    return lines


def locked_recently(organizations: QuerySet[Organization], now: datetime) -> Any:
    return organizations.filter(locked_from__gt=now - LOCKED_RECENTLY, locked_from__lte=now)


NEEDS += [
    Need(
        what=gettext_lazy("Requests for a transfer of ownership"),
        next_step=gettext_lazy("Look at the transfer, then confirm it, or decline the request."),
        page="admin:orgs_ownershiptransferrequest_changelist",
        query="",
        count=rows_of(OwnershipTransferRequest, lambda requests, now: requests.pending()),
    ),
    Need(
        what=gettext_lazy("Organizations locked in the last 24 hours"),
        next_step=gettext_lazy("Their owners get in, to pay. Ask those who do not."),
        page="admin:orgs_organization_changelist",
        query="lock=recent",
        count=rows_of(Organization, locked_recently),
    ),
]
