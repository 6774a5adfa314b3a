from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts import services
from accounts.forms import NameForm
from accounts.models import User
from accounts.second_factor import second_factors_of


@require_safe
@login_required
def account(request: HttpRequest) -> HttpResponse:
    """One's own account: the name, what one logs in with, and the way to each."""
    assert isinstance(request.user, User)
    return _account(request, NameForm(instance=request.user))


@require_POST
@login_required
def rename(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)
    form = NameForm(request.POST, instance=request.user)
    if not form.is_valid():
        return _account(request, form)
    services.rename_person(person=request.user, name=form.cleaned_data["name"], by=request.user)
    messages.success(request, _("Your name is saved."))
    return redirect("accounts:account")


def _account(request: HttpRequest, form: NameForm) -> HttpResponse:
    assert isinstance(request.user, User)
    context = {"form": form, "factors": second_factors_of(request.user)}
    status = 422 if form.errors else 200
    return render(request, "accounts/account.html", context, status=status)
