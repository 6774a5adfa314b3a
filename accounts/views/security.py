from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.devices import device_name
from accounts.events import SECURITY
from accounts.log_pages import page_of
from accounts.models import User, UserEventLog


@require_safe
@login_required
def security(request: HttpRequest) -> HttpResponse:
    """What happened to one's own account: log-ins, and what makes them safe."""
    person = request.user
    assert isinstance(person, User)
    before = request.GET.get("before", "")
    lines = UserEventLog.objects.filter(user=person, event__in=SECURITY)
    page, older = page_of(lines, before)
    context = {"entries": [_entry(line) for line in page], "older": older, "is_first": not before}
    return render(request, "accounts/security.html", context)


def _entry(line: UserEventLog) -> dict[str, object]:
    """Where it came from is told of what the person did, or somebody who posed as them. Where our
    own staff sit is theirs."""
    is_staffs = line.impersonator_id is not None or line.actor_id not in {None, line.user_id}
    return {
        "at": line.created_at,
        "what": line.kind,
        "device": "" if is_staffs else device_name(line.device),
        "address": None if is_staffs else line.ip_address,
    }
