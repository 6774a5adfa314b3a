from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.http import AuthenticatedHttpRequest
from accounts.models import User
from orgs.models import Organization

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


class MemberRequest(AuthenticatedHttpRequest):
    """A request by somebody who belongs to an organization."""

    organization: Organization


def member_required(
    view: Callable[Concatenate[MemberRequest, P], HttpResponse],
) -> View[P]:
    """Let members of an organization in, with `request.organization`; show others the way home."""

    @login_required
    @wraps(view)
    def wrapped(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        assert isinstance(request.user, User)
        if request.user.organization is None:
            return redirect("home")
        request.organization = request.user.organization  # type: ignore[attr-defined]
        return view(request, *args, **kwargs)  # type: ignore[arg-type]

    return cast(View[P], wrapped)
