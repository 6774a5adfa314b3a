from __future__ import annotations

from allauth.account.decorators import reauthentication_required
from allauth.decorators import rate_limit
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts import exits, rights
from accounts.exports import download
from accounts.models import User


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@reauthentication_required  # type: ignore[untyped-decorator]
@rate_limit(action="export")  # type: ignore[untyped-decorator]
def export(request: HttpRequest) -> HttpResponseBase:
    """Download what we hold about oneself, also when locked out: the gate lets it through."""
    assert isinstance(request.user, User)
    return _export(request, request.user)


@require_http_methods(["GET", "HEAD", "POST"])
def export_from_outside(request: HttpRequest, token: str) -> HttpResponseBase:
    """The same for somebody whom the lock kept out at log-in, after they proved who they are."""
    person = exits.person_of(exits.EXPORT, token)
    if person is None:
        raise Http404
    return _export(request, person)


def _export(request: HttpRequest, person: User) -> HttpResponseBase:
    if request.method != "POST":
        return render(request, "accounts/export.html")
    now = timezone.now()
    copy = rights.export_person(person=person, now=now)
    return download(copy, f"holdfast-account-{now:%Y-%m-%d}.json")
