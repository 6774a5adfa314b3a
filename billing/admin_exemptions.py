"""Staff's page to let an organization in whatever its billing says, and to end that."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.admin_base import actor_of
from billing import services
from billing.models import Standing
from billing.services.exemptions import PERMISSION
from orgs import clock
from orgs.models import Tier


class ExemptionForm(forms.Form):
    until = forms.DateTimeField(
        widget=forms.DateTimeInput({"type": "datetime-local"}),
        help_text=gettext_lazy("Then what billing says counts again, by itself."),
    )
    tier = forms.ModelChoiceField(
        Tier.objects.order_by("rank"),
        label=gettext_lazy("Tier"),
        required=False,
        empty_label=gettext_lazy("What it pays for, or the free one"),
    )
    reason = forms.CharField(
        label=gettext_lazy("Why"),
        max_length=Standing._meta.get_field("exempt_reason").max_length,
        widget=forms.Textarea({"rows": 3, "cols": 28}),
        help_text=gettext_lazy("Stays in the log. No names."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # What is typed in is read in the zone that is active.
        zone = timezone.get_current_timezone_name()
        self.fields["until"].label = _("Until (%(zone)s)") % {"zone": zone}


class ExemptFilter(admin.SimpleListFilter):
    title = gettext_lazy("exemption")
    parameter_name = "exempt"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        ending = gettext_lazy("Exempt, and it ends within a week")
        return [("yes", gettext_lazy("Exempt")), ("ending", ending)]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() == "yes":
            return queryset.filter(exempt_until__gt=clock.now())
        if self.value() == "ending":
            return queryset.exempt_until_soon(clock.now())
        return queryset


def exempt_view(request: HttpRequest, standing: Standing) -> HttpResponse:
    """Show the exemption, make one or end it. The caller has found the standing for this person."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    organization, by, now = standing.organization, actor_of(request), clock.now()
    if request.method == "POST" and "end" in request.POST:
        services.end_exemption(organization=organization, by=by, now=now)
        return _done(request, standing, _("The exemption has ended."))
    form = ExemptionForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            services.grant_exemption(organization=organization, by=by, now=now, **form.cleaned_data)
        except services.EndsTooSoon as refusal:
            form.add_error("until", str(refusal))
        except services.ReasonNeeded as refusal:
            form.add_error("reason", str(refusal))
        else:
            return _done(request, standing, _("%(name)s is exempt.") % {"name": organization.name})
    context = {
        **admin.site.each_context(request),
        "title": _("Exempt %(name)s from billing") % {"name": organization.name},
        "opts": Standing._meta,
        "original": standing,
        "form": form,
        "is_exempt": standing.is_exempt(now),
    }
    status = 422 if form.is_bound else 200
    return render(request, "admin/billing/standing/exempt.html", context, status=status)


def _done(request: HttpRequest, standing: Standing, words: str) -> HttpResponse:
    words += " " + _("Tier and lock follow with the next sync, within moments.")
    messages.success(request, words)
    return redirect("admin:billing_standing_change", standing.pk)
