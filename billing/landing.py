"""The first page: for visitors what the product is and costs, for everybody else their home."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.models import User
from billing import plans
from orgs.views import home


@require_safe
def front(request: HttpRequest) -> HttpResponse:
    if isinstance(request.user, User):
        return home.home(request)
    offered = plans.offered_plans(None)
    context = {"plans": offered, "comparison": plans.comparison_of(offered)}
    return render(request, "billing/landing.html", context)
