from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _


class HoldfastAdminSite(admin.AdminSite):
    """The staff's side of the product: Django's admin, with one log-in for everybody."""

    site_header = "Holdfast"
    site_title = "Holdfast"
    index_title = _("Staff")

    def login(
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        """Send people to the product's own log-in, so that its steps and limits hold here too."""
        if request.user.is_authenticated and not self.has_permission(request):
            return HttpResponse(_("Only staff can open this page."), status=403)
        target = request.GET.get("next", reverse("admin:index", current_app=self.name))
        return redirect_to_login(target)
