"""“Why can or can't this person…?”: the answer of `manage.py explain_access`, for staff."""

from __future__ import annotations

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from accounts.admin import PersonPage, UserAdmin
from accounts.admin_base import actor_of
from accounts.models import User
from billing.explanations import explain_access
from billing.forms import WhyForm
from orgs import clock

LOOK = "accounts.view_user"


@require_safe
def why_view(request: HttpRequest, user_id: int) -> HttpResponse:
    if not request.user.has_perm(LOOK):
        raise PermissionDenied
    person = get_object_or_404(User.objects.get_queryset().with_access(), pk=user_id)
    form = WhyForm(request.GET or None, by=actor_of(request))
    permission, where = None, person.organization
    if form.is_valid():
        permission = form.cleaned_data["permission"]
        where = form.cleaned_data["organization"] or where
    page = {
        **admin.site.each_context(request),
        "opts": User._meta,
        "title": _("Why can or can't %(person)s…?") % {"person": person.email},
        "person": person,
        "form": form,
        "sentences": explain_access(person, permission, where, clock.now()),
    }
    status = 422 if form.errors else 200
    return render(request, "admin/accounts/user/why.html", page, status=status)


UserAdmin.pages.append(
    PersonPage("why", gettext_lazy("Why can or can't this person…?"), LOOK, why_view)
)
