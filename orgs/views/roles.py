from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from orgs import clock, services
from orgs.decorators import MemberRequest, member_required, permission_required
from orgs.forms import RoleForm
from orgs.models import Role
from orgs.permissions import explain
from orgs.refusals import refusal_for

CREATE = "orgs.create_roles"


@require_safe
@member_required
def roles(request: MemberRequest) -> HttpResponse:
    """What each role gives, and how many hold it."""
    organization = request.organization
    verdict = explain(request.user, CREATE, organization, clock.now())
    is_owner = organization.owner_id == request.user.pk
    listed = Role.objects.for_members_of(organization).with_holders(organization)
    context = {
        "organization": organization,
        "roles": listed.prefetch_related("permissions"),
        "may_create": verdict.allowed,
        "refusal": None
        if verdict.allowed
        else refusal_for(verdict, CREATE, organization, is_owner=is_owner),
    }
    return render(request, "orgs/roles.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(CREATE)
def create_role(request: MemberRequest) -> HttpResponse:
    return _role_page(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(CREATE)
def change_role(request: MemberRequest, role_id: int) -> HttpResponse:
    return _role_page(request, get_object_or_404(request.organization.roles, pk=role_id))


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(CREATE)
def delete_role(request: MemberRequest, role_id: int) -> HttpResponse:
    """Ask first: who holds it loses it."""
    role = get_object_or_404(request.organization.roles, pk=role_id)
    if request.method == "POST":
        try:
            services.delete_role(role=role, by=request.user, now=clock.now())
        except services.GivesTooMuch:
            messages.error(request, _too_much())
        else:
            messages.success(request, _("The role %(role)s is gone.") % {"role": role.name})
        return redirect("orgs:roles")
    context = {"role": role, "holders": role.assignments.active().count()}
    return render(request, "orgs/role_delete.html", context)


def _role_page(request: MemberRequest, role: Role | None) -> HttpResponse:
    form = RoleForm(request.POST or None, role=role)
    if form.is_valid():
        wanted = {"name": form.cleaned_data["name"], "permissions": form.cleaned_data["gives"]}
        try:
            if role is None:
                services.create_role(
                    organization=request.organization, by=request.user, now=clock.now(), **wanted
                )
            else:
                services.change_role(role=role, by=request.user, now=clock.now(), **wanted)
        except services.GivesTooMuch:
            form.add_error("gives", _too_much())
        except ValidationError as error:
            form.add_error("name", " ".join(error.messages))
        else:
            messages.success(request, _("The role is saved."))
            return redirect("orgs:roles")
    context = {"role": role, "form": form}
    return render(request, "orgs/role.html", context, status=422 if form.errors else 200)


def _too_much() -> str:
    return _("A role can hold no more than your plan and your own roles do.")
