from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.views import View

from accounts.http import AuthenticatedHttpRequest
from accounts.models import User
from orgs import clock, refusals
from orgs.models import Organization
from orgs.permissions import explain

P = ParamSpec("P")
ViewFunction = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


class MemberRequest(AuthenticatedHttpRequest):
    """A request by somebody who belongs to an organization."""

    organization: Organization


MemberView = Callable[Concatenate[MemberRequest, P], HttpResponseBase]


def member_required(
    view: MemberView[P],
) -> ViewFunction[P]:
    """Let members of an organization in, with `request.organization`; show others the way home."""

    @login_required
    @wraps(view)
    def wrapped(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        assert isinstance(request.user, User)
        if request.user.organization is None:
            return redirect("home")
        request.organization = request.user.organization  # type: ignore[attr-defined]
        return view(request, *args, **kwargs)  # type: ignore[arg-type]

    return cast(ViewFunction[P], wrapped)


def permission_required(permission: str) -> Callable[[MemberView[P]], ViewFunction[P]]:
    """Let those members in whom `explain` allows this in their organization; tell others why not.

    `permission` is `app.codename`.
    """

    def decorate(view: MemberView[P]) -> ViewFunction[P]:
        @wraps(view)
        def asked(request: MemberRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            verdict = explain(request.user, permission, request.organization, clock.now())
            if not verdict.allowed:
                return refusals.respond(request, verdict, permission, request.organization)
            return view(request, *args, **kwargs)

        return member_required(cast(MemberView[P], asked))

    return decorate


class PermissionRequiredMixin(View):
    """`permission_required` for class-based views: stands first among the bases."""

    permission_required: str

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Callable[..., HttpResponse]:
        decorate: Any = permission_required(cls.permission_required)
        guarded: Callable[..., HttpResponse] = decorate(super().as_view(**initkwargs))
        return guarded
