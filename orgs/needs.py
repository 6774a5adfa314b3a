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

# None: it is nothing that whoever asks is told.
Count = Callable[[HttpRequest, datetime], int | None]


@dataclass(frozen=True)
class Need:
    """A line: what waits, what to do next, the list of the admin that shows it, and how many.

    `page` is the list's URL name, and `query` what it is asked, so that it shows the rows that
    `count` counts. One with a `figure` has its number told by that name, too, also when it is
    nothing.
    """

    what: str | Promise
    next_step: str | Promise
    page: str
    query: str
    count: Count
    figure: str | Promise = ""

    @property
    def url(self) -> str:
        return reverse(self.page) + (f"?{self.query}" if self.query else "")


@dataclass(frozen=True)
class Counted:
    """A need, and how many it has: `MOST` and one stand for that and more."""

    need: Need
    count: int

    @property
    def number(self) -> str:
        return str(self.count) if self.count <= MOST else _("%(most)d or more") % {"most": MOST}


NEEDS: list[Need] = []


def rows_of(model: type[Model], narrow: Callable[[Any, datetime], QuerySet[Any]]) -> Count:
    """Count what a list of the admin shows to whoever asks, narrowed; `MOST` and one at most.

    `narrow` is to be served by an index: this is asked each time that the front page opens.
    """

    def count(request: HttpRequest, now: datetime) -> int | None:
        listed = admin.site.get_model_admin(model)
        if not listed.has_view_permission(request):
            return None
        rows = narrow(listed.get_queryset(request), now).order_by()
        return len(rows.values_list("pk", flat=True)[: MOST + 1])

    return count


def counted(request: HttpRequest, now: datetime) -> list[Counted]:
    """Count each need within the scope of whoever asks, and leave out what they are not told."""
    found = ((need, need.count(request, now)) for need in NEEDS)
    return [Counted(need, count) for need, count in found if count is not None]


def locked_recently(organizations: QuerySet[Organization], now: datetime) -> Any:
    return organizations.filter(locked_from__gt=now - LOCKED_RECENTLY, locked_from__lte=now)


NEEDS += [
    Need(
        what=gettext_lazy("Requests for a transfer of ownership"),
        next_step=gettext_lazy("Look at the transfer, then confirm it, or decline the request."),
        page="admin:orgs_ownershiptransferrequest_changelist",
        query="",
        count=rows_of(OwnershipTransferRequest, lambda requests, now: requests.pending()),
        figure=gettext_lazy("Transfer requests"),
    ),
    Need(
        what=gettext_lazy("Organizations locked in the last 24 hours"),
        next_step=gettext_lazy("Their owners get in, to pay. Ask those who do not."),
        page="admin:orgs_organization_changelist",
        query="lock=recent",
        count=rows_of(Organization, locked_recently),
        figure=gettext_lazy("Locked today"),
    ),
]
