from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, ClassVar

from allauth.account import admin as allauth_admin
from allauth.account.models import EmailAddress
from allauth.mfa import admin as mfa_admin
from allauth.mfa.models import Authenticator
from allauth.usersessions import admin as usersessions_admin
from allauth.usersessions.models import UserSession
from django.contrib import admin, messages
from django.contrib.admin.actions import delete_selected
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts import services
from accounts.admin_activity import ActiveFilter, is_by_last_active
from accounts.admin_base import (
    ONE_ORGANIZATION,
    LongListAdmin,
    ReadOnlyAdminMixin,
    actor_of,
)
from accounts.admin_csv import CsvAdminMixin
from accounts.admin_dates import DateFilter
from accounts.admin_log import LoggedChangesMixin
from accounts.admin_story import account_section
from accounts.chips import BAD, GOOD, PLAIN, WARN, chip
from accounts.forms import PersonForm
from accounts.models import User


@dataclass(frozen=True)
class PersonPage:
    """A page about one person in the admin. The view takes their key, as `user_id`."""

    name: str
    title: str | Promise
    # Who may open it; the view asks again.
    permission: str
    view: Callable[..., HttpResponse]


class DeletedFilter(admin.SimpleListFilter):
    """Who was soft-deleted is out of the list, unless somebody asks for them."""

    title = _("deleted")
    parameter_name = "deleted"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Deleted"))]

    def choices(self, changelist: Any) -> Any:
        first, *others = super().choices(changelist)
        return [first | {"display": _("Not deleted")}, *others]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(deleted_at__isnull=self.value() != "yes")


class SignedUpFilter(DateFilter):
    title = _("signed up")


@admin.register(User)
class UserAdmin(LoggedChangesMixin, CsvAdminMixin[User], LongListAdmin[User]):
    """A person. What ties them to an organization changes by services, not by this form."""

    # orgs and billing, which are not known here, add theirs. orgs registers a subclass, too, which
    # lists to staff whom they may see.
    pages: ClassVar[list[PersonPage]] = []
    # Each returns HTML for whoever asks, or nothing; it stands below the page's form.
    sections: tuple[Callable[[HttpRequest, User], str], ...] = (account_section,)
    change_form_template = "admin/accounts/user/change_form.html"
    withheld = ("name",)
    told_by_services = ("is_active",)
    list_display = ("email", "last_active", "name", "state", "organization", "user_type")
    list_filter = (
        DeletedFilter,
        ActiveFilter,
        "user_type",
        "is_active",
        "is_staff",
        SignedUpFilter,
    )
    csv_columns = (
        (_("e-mail address"), "email"),
        (_("name"), "name"),
        (_("organization"), "organization.name"),
        (_("type"), "user_type"),
        (_("active"), "is_active"),
        (_("last active"), "last_active"),
        (_("created at"), "created_at"),
    )
    list_select_related: ClassVar[Any] = ("organization",)
    search_fields = ("email__startswith", "name__istartswith")
    search_help_text = _("The beginning of the e-mail address or of the name")
    actions: Any = ("delete_selected",)
    form = PersonForm
    fields = (
        "state",
        "email",
        "name",
        "is_active",
        "organization",
        "user_type",
        "is_staff",
        "is_superuser",
        "created_at",
        "last_login",
        "last_active",
        "deleted_at",
        "erase_after",
        "erased_at",
    )
    readonly_fields = ("state", "email", *fields[4:])

    @admin.display(description=_("state"))
    def state(self, person: User) -> str:
        if person.erased_at is not None:
            return chip(_("erased"), PLAIN)
        if person.deleted_at is not None:
            return chip(_("deleted"), BAD)
        return chip(_("active"), GOOD) if person.is_active else chip(_("inactive"), WARN)

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """One organization's people as on their own page, by that page's index."""
        if ONE_ORGANIZATION in request.GET:
            return ("name", "email")
        return ("-last_active", "-id") if is_by_last_active(request) else ("-id",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[User], search_term: str
    ) -> tuple[QuerySet[User], bool]:
        """Who was soft-deleted is not offered where somebody is chosen; the list has a filter."""
        if request.path == reverse("admin:autocomplete"):
            queryset = queryset.filter(deleted_at__isnull=True)
        return super().get_search_results(request, queryset, search_term)

    def get_urls(self) -> list[URLPattern]:
        pages = [
            path(
                f"<int:user_id>/{page.name}/",
                self.admin_site.admin_view(self._about_listed(page.view)),
                name=f"accounts_user_{page.name}",
            )
            for page in self.pages
        ]
        return [*pages, *super().get_urls()]

    def _about_listed(self, view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        """Have a page find those people only whom the list shows to whoever asks."""

        @wraps(view)
        def found(request: HttpRequest, user_id: int, **kwargs: Any) -> HttpResponse:
            if not self.get_queryset(request).filter(pk=user_id).exists():
                raise Http404
            return view(request, user_id=user_id, **kwargs)

        return found

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        context["pages"] = [
            (page.title, reverse(f"admin:accounts_user_{page.name}", args=[context["original"].pk]))
            for page in self.pages
            if request.user.has_perm(page.permission)
        ]
        sections = (section(request, context["original"]) for section in self.sections)
        context["sections"] = [section for section in sections if section]
        return super().render_change_form(request, context, *args, **kwargs)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Save the name, and leave the rest to the service, which logs it."""
        obj.save(update_fields=["name"])
        services.set_active(
            person=obj, is_active=form.cleaned_data["is_active"], by=actor_of(request)
        )

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        person = self.get_object(request, object_id)
        try:
            if person is not None:
                services.require_not_owner(person)
        except services.OwnsOrganization as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
            return redirect("admin:accounts_user_change", object_id)
        return super().delete_view(request, object_id, extra_context)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What belongs to a person goes with them; no permission of its own is asked for it."""
        to_delete, counts, _needed, protected = super().get_deleted_objects(objs, request)
        return to_delete, counts, set(), protected

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        services.delete_person(person=obj, by=actor_of(request))

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for person in queryset:
            services.delete_person(person=person, by=actor_of(request))

    @admin.action(description=_("Delete the selected people"))
    def delete_selected(self, request: HttpRequest, queryset: Any) -> Any:
        """Delete those who own nothing, after asking; name the owners, who stay."""
        owners = queryset.filter(owned_organizations__isnull=False)
        for owner in owners:
            refusal = f"“{owner}”: {services.OwnsOrganization()}"
            self.message_user(request, refusal, messages.ERROR)
        others = queryset.filter(owned_organizations__isnull=True)
        return delete_selected(self, request, others) if others.exists() else None


# Who may confirm or replace an address here, or read a second factor's secret or a session's key,
# could be anybody. (The modules are imported above, so that they have registered theirs by now.)
assert allauth_admin
assert mfa_admin
assert usersessions_admin
admin.site.unregister(EmailAddress)
admin.site.unregister(Authenticator)
admin.site.unregister(UserSession)


@admin.register(EmailAddress)
class EmailAddressAdmin(ReadOnlyAdminMixin, LongListAdmin[EmailAddress]):
    list_display = ("email", "user", "primary", "verified")
    list_select_related = ("user",)
    search_fields = ("email__startswith", "user__email__startswith")
    search_help_text = _("The beginning of the e-mail address, or of the person's own")
    ordering = ("-id",)


@admin.register(Authenticator)
class AuthenticatorAdmin(ReadOnlyAdminMixin, LongListAdmin[Authenticator]):
    """Who has a second factor, and never what it is."""

    list_display = ("user", "type", "created_at", "last_used_at")
    list_select_related = ("user",)
    list_filter = ("type",)
    search_fields = ("user__email__startswith",)
    search_help_text = _("The beginning of the person's e-mail address")
    fields = list_display
    secrets = frozenset({"data"})
    ordering = ("-id",)
