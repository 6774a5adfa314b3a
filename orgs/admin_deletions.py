"""Staff's way to delete people softly and to restore them: look, choose, confirm."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.admin import PersonPage, UserAdmin
from accounts.admin_base import LongListAdmin, ReadOnlyAdminMixin, actor_of
from accounts.models import User
from accounts.services import OwnsOrganization, PersonErased
from orgs import clock, services
from orgs.admin_scope import ScopedAdminMixin
from orgs.forms import EraseForm, RestoreForm, SoftDeleteForm
from orgs.models import SoftDeletion
from orgs.seats import seats_of
from orgs.services.deletion import DELETE, RESTORE
from orgs.services.erasure import COME_BACK_WITHIN, ERASE


def soft_delete_view(request: HttpRequest, user_id: int) -> HttpResponse:
    person = _person(request, user_id, DELETE)
    form = SoftDeleteForm(_posted(request))
    if form.is_valid():
        try:
            services.soft_delete(
                user=person, by=actor_of(request), reason=form.cleaned_data["reason"]
            )
        except services.NotAMember:
            form.add_error(None, _("This person has changed teams meanwhile. Look again."))
        except (OwnsOrganization, services.AlreadyDeleted, services.ReasonMissing) as refusal:
            form.add_error(None, str(refusal))
        else:
            facts = {"person": person.email}
            messages.success(request, _("Deleted %(person)s, who can be restored.") % facts)
            return redirect("admin:accounts_user_change", person.pk)
    context = {
        "title": _("Delete %(person)s") % {"person": person.email},
        "form": form,
        "roles": person.role_assignments.active().select_related("role", "organization"),
        "grants": person.grant_set.select_related("permission", "content_object"),
        "is_owner": person.owned_organizations.exists(),
    }
    return _page(request, "soft_delete", person, context, form)


def restore_view(request: HttpRequest, user_id: int) -> HttpResponse:
    person = _person(request, user_id, RESTORE)
    deletion = person.soft_deletions.open().select_related("by").first()
    if deletion is None or person.erased_at is not None:
        return _nothing_to_do(request, person)
    form = RestoreForm(_posted(request), deletion=deletion)
    if form.is_valid():
        try:
            services.restore(
                user=person,
                by=actor_of(request),
                roles=[each.role for each in form.cleaned_data.get("roles", ())],
                with_grants=form.cleaned_data.get("grants", False),
            )
        except services.NoSeatLeft as refusal:
            words = _(
                "All %(limit)s seats of the organization are taken: somebody has to leave, or it "
                "needs a tier with more."
            )
            form.add_error(None, words % {"limit": refusal.seats.limit})
        except services.NotAMember:
            form.add_error(None, _("This person has changed teams meanwhile. Look again."))
        except (services.NotDeleted, PersonErased) as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("Restored %(person)s.") % {"person": person.email})
            return redirect("admin:accounts_user_change", person.pk)
    organization = person.organization
    context = {
        "title": _("Restore %(person)s") % {"person": person.email},
        "form": form,
        "deletion": deletion,
        "seats": seats_of(organization, organization.tier_at(clock.now()))
        if organization
        else None,
    }
    return _page(request, "restore", person, context, form)


def erase_view(request: HttpRequest, user_id: int) -> HttpResponse:
    """Have the data of a deleted person erased in 30 days."""
    person = _person(request, user_id, ERASE)
    if person.deleted_at is None or person.erased_at is not None:
        return _nothing_to_do(request, person)
    form = EraseForm(_posted(request))
    if form.is_valid():
        try:
            services.request_erasure(
                user=person,
                by=actor_of(request),
                reason=form.cleaned_data["reason"],
                now=timezone.now(),
            )
        except services.NotAMember:
            form.add_error(None, _("This person has changed teams meanwhile. Look again."))
        except (
            services.AlreadyToErase,
            services.NotDeleted,
            services.ReasonMissing,
            PersonErased,
        ) as refusal:
            form.add_error(None, str(refusal))
        else:
            words = _("The data of %(person)s will be erased, unless they are restored before.")
            messages.success(request, words % {"person": person.email})
            return redirect("admin:accounts_user_change", person.pk)
    context = {
        "title": _("Erase the data of %(person)s") % {"person": person.email},
        "form": form,
        "days": COME_BACK_WITHIN.days,
    }
    return _page(request, "erase", person, context, form)


def _nothing_to_do(request: HttpRequest, person: User) -> HttpResponse:
    refusal = services.NotDeleted() if person.erased_at is None else PersonErased()
    messages.error(request, str(refusal))
    return redirect("admin:accounts_user_change", person.pk)


def _posted(request: HttpRequest) -> QueryDict | None:
    """Return what was sent, also when that is nothing at all: no box was ticked."""
    return request.POST if request.method == "POST" else None


def _person(request: HttpRequest, user_id: int, permission: str) -> User:
    if not request.user.has_perm(permission):
        raise PermissionDenied
    return get_object_or_404(User.objects.select_related("organization__tier"), pk=user_id)


def _page(
    request: HttpRequest, name: str, person: User, context: dict[str, Any], form: Any
) -> HttpResponse:
    page = {
        **admin.site.each_context(request),
        "opts": User._meta,
        "person": person,
        **context,
    }
    status = 422 if form.errors else 200
    return render(request, f"admin/accounts/user/{name}.html", page, status=status)


UserAdmin.pages += [
    PersonPage("soft-delete", gettext_lazy("Delete softly"), DELETE, soft_delete_view),
    PersonPage("restore", gettext_lazy("Restore"), RESTORE, restore_view),
    PersonPage("erase", gettext_lazy("Erase the data"), ERASE, erase_view),
]


@admin.register(SoftDeletion)
class SoftDeletionAdmin(
    ReadOnlyAdminMixin, ScopedAdminMixin[SoftDeletion], LongListAdmin[SoftDeletion]
):
    organization_path = "user__organization"
    list_display = ("user", "deleted_at", "by", "reason", "restored_at", "restored_by")
    list_select_related = ("user", "by", "restored_by")
    search_fields = ("user__email__startswith",)
    search_help_text = gettext_lazy("The beginning of the person's e-mail address")
    ordering = ("-id",)
