from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.admin_base import actor_of
from accounts.models import User
from accounts.second_factor import is_kept_from_the_admin
from billing.front import front_at
from orgs import clock
from orgs.needs import counted
from orgs.permissions import sees_all

# The menu: what staff come for first, and what libraries bring by names that people know.
MENU = {
    "orgs": _("Organizations"),
    "billing": _("Billing"),
    "accounts": _("People"),
    "djstripe": _("What Stripe said"),
}
# What is about people, whoever keeps it.
ABOUT_PEOPLE = ("account", "mfa", "auth")


class HoldfastAdminSite(admin.AdminSite):
    """The staff's side of the product: Django's admin, with one log-in for everybody."""

    site_header = "Holdfast"
    site_title = "Holdfast"
    index_title = _("Staff")

    def has_permission(self, request: HttpRequest) -> bool:
        """Let staff in, and where the settings say so only those who have a second factor."""
        return super().has_permission(request) and not _must_set_up_second_factor(request)

    def index(
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> TemplateResponse:
        """Begin with what staff look at first. Sums of all are for those who see all."""
        needs = counted(request, clock.now())
        first = {
            "needs": [each for each in needs if each.count],
            "figures": [each for each in needs if each.need.figure],
            "front": front_at(timezone.now()) if sees_all(actor_of(request)) else None,
        }
        return super().index(request, (extra_context or {}) | first)

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Order the menu as staff need it, and call its parts by names that they know."""
        apps = {app["app_label"]: app for app in super().get_app_list(request, app_label)}
        if people := apps.get("accounts"):
            for label in ABOUT_PEOPLE:
                people["models"] += apps.pop(label, {"models": []})["models"]
        for label, name in MENU.items():
            if label in apps:
                apps[label]["name"] = name
        first = [apps.pop(label) for label in MENU if label in apps]
        return [*first, *apps.values()]

    def login(
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        """Send people to the product's own log-in, so that its steps and limits hold here too."""
        if _must_set_up_second_factor(request):
            messages.warning(
                request,
                _("Staff need a second factor. Set one up, then open the admin again."),
            )
            return redirect("mfa_index")
        if request.user.is_authenticated and not self.has_permission(request):
            return HttpResponse(_("Only staff can open this page."), status=403)
        target = request.GET.get("next", reverse("admin:index", current_app=self.name))
        return redirect_to_login(target)

    def password_change(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        """Send people to the product's own page for this, for the same reason."""
        return redirect("account_change_password")


def _must_set_up_second_factor(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and is_kept_from_the_admin(request.user)
