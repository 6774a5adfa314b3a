"""Staff's way to look at the product as somebody: say why, and go on as that person."""

from __future__ import annotations

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import impersonation_session as session
from accounts.admin import PersonPage, UserAdmin
from accounts.admin_base import actor_of
from accounts.impersonation_services import (
    PERMISSION,
    ImpersonationRefused,
    require_may_impersonate,
)
from accounts.models import User
from accounts.proof import proof_required


class ImpersonateForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("Kept in the log, with your name."),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    # What django-hijack asks for.
    user_pk = forms.IntegerField(widget=forms.HiddenInput)

    def clean_user_pk(self) -> int:
        chosen: int = self.cleaned_data["user_pk"]
        if chosen != self.initial["user_pk"]:
            raise ValidationError(_("This form is about somebody else."))
        return chosen


def impersonate_view(request: HttpRequest, user_id: int) -> HttpResponse:
    """Require the permission, then a second factor and fresh proof of who it is, then go on."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    return _impersonate(request, user_id)


@proof_required(
    gettext_lazy("Impersonating people needs a second factor. Set one up, then come back.")
)
def _impersonate(request: HttpRequest, user_id: int) -> HttpResponse:
    person = get_object_or_404(User.objects.get_queryset().with_access(), pk=user_id)
    form = ImpersonateForm(request.POST or None, initial={"user_pk": person.pk})
    obstacle = ""
    try:
        if form.is_valid():
            session.begin(request, person=person, reason=form.cleaned_data["reason"])
            return redirect("home")
        require_may_impersonate(by=actor_of(request), person=person)
    except ImpersonationRefused as refusal:
        obstacle = str(refusal)
    context = {
        **admin.site.each_context(request),
        "title": _("Impersonate %(person)s") % {"person": person.email},
        "opts": User._meta,
        "person": person,
        "form": form,
        "obstacle": obstacle,
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "admin/accounts/user/impersonate.html", context, status=status)


UserAdmin.pages += [
    PersonPage("impersonate", gettext_lazy("Impersonate"), PERMISSION, impersonate_view),
]
