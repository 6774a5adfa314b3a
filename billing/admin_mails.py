"""What whoever pays was told, and what could not be sent: the outbox in the admin."""

from __future__ import annotations

from typing import Any

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST

from accounts import times
from accounts.admin_base import LongListAdmin, ReadOnlyAdminMixin, actor_of
from accounts.admin_dates import DateFilter
from billing import mails, services
from billing.models import PayerMail
from orgs import clock
from orgs.admin_scope import ScopedAdminMixin

RETRY = "billing.retry_payermail"
# A mail styles itself line by line, as mailboxes want it; nothing else may load or run.
MAIL_POLICY = {
    "default-src": [NONE],
    "style-src": [UNSAFE_INLINE],
    "frame-ancestors": [SELF],
    "sandbox": True,
}


class StateFilter(admin.SimpleListFilter):
    """Served by two small indexes: nearly all mails are sent."""

    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("waiting", gettext_lazy("waiting")), ("given_up", gettext_lazy("given up"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() == "waiting":
            return queryset & PayerMail.objects.waiting()
        if self.value() == "given_up":
            return queryset & PayerMail.objects.given_up()
        return queryset


class NoticedFilter(DateFilter):
    title = gettext_lazy("noticed")


@admin.register(PayerMail)
class PayerMailAdmin(ReadOnlyAdminMixin, ScopedAdminMixin[PayerMail], LongListAdmin[PayerMail]):
    organization_path = "organization"
    list_display = ("id", "organization", "kind", "created_at", "state", "attempts")
    list_select_related = ("organization",)
    list_filter = (StateFilter, NoticedFilter)
    ordering = ("-id",)
    search_fields = ("organization__slug__startswith", "stripe_object__exact")
    search_help_text = gettext_lazy("The beginning of the organization's slug, or in_…, sub_…")
    change_form_template = "admin/billing/payermail/change_form.html"
    fields = (
        "organization",
        "kind",
        "stripe_object",
        "since",
        "created_at",
        "state",
        "owner",
        "attempts",
        "next_attempt_at",
        "last_error",
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[PayerMail]:
        return super().get_queryset(request).select_related("organization__owner")

    def get_urls(self) -> list[URLPattern]:
        site = self.admin_site
        return [
            path(
                "<int:mail_id>/html/",
                site.admin_view(self.as_html),
                name="billing_payermail_html",
            ),
            path(
                "<int:mail_id>/retry/",
                site.admin_view(require_POST(self.retry)),
                name="billing_payermail_retry",
            ),
            *super().get_urls(),
        ]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        mail = self.get_object(request, object_id)
        context = extra_context or {}
        if mail is not None and self.has_view_permission(request, mail):
            context |= {
                "preview": mails.render(mail),
                "recipients": services.recipients_of(mail.organization),
                "can_retry": mail.failed_at is not None and request.user.has_perm(RETRY),
            }
        return super().change_view(request, object_id, form_url, context)

    @method_decorator([csp(MAIL_POLICY), xframe_options_sameorigin])
    def as_html(self, request: HttpRequest, mail_id: int) -> HttpResponse:
        """Show the mail as a mailbox would."""
        mail = self._found(request, mail_id)
        if not self.has_view_permission(request, mail):
            raise PermissionDenied
        return HttpResponse(mails.render(mail).html)

    def retry(self, request: HttpRequest, mail_id: int) -> HttpResponse:
        mail = self._found(request, mail_id)
        if not request.user.has_perm(RETRY):
            raise PermissionDenied
        try:
            services.retry_payer_mail(mail=mail, by=actor_of(request), now=clock.now())
        except services.NotGivenUp:
            messages.info(request, _("There is nothing to send again: look at its state."))
        else:
            messages.success(request, _("It is being sent again."))
        return redirect("admin:billing_payermail_change", mail.pk)

    def _found(self, request: HttpRequest, mail_id: int) -> PayerMail:
        return get_object_or_404(self.get_queryset(request), pk=mail_id)

    @admin.display(description=gettext_lazy("state"))
    def state(self, mail: PayerMail) -> str:
        if mail.sent_at is not None:
            return _("sent %(when)s") % {"when": times.minute(mail.sent_at)}
        if mail.withdrawn_at is not None:
            return _("not sent: it had passed")
        return _("given up") if mail.failed_at is not None else _("waiting")
