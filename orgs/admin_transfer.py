"""Staff's way to hand an organization on: choose, look, confirm. The service decides."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from accounts.proof import proof_required
from orgs import clock, services
from orgs.forms import ChooseOwnerForm, PersonChoiceField, TransferForm
from orgs.models import Organization
from orgs.permissions import seen_by
from orgs.services.ownership import PERMISSION
from orgs.transfers import preview_transfer

# More people than that are not offered, but found by their address.
MOST_OFFERED = 100


class FindPersonField(PersonChoiceField):
    """One of the people, by the whole address; by the key, where a link names it."""

    widget = forms.TextInput

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str) and "@" in value:
            assert self.queryset is not None
            found = self.queryset.filter(email=value.strip().lower()).first()
            value = found.pk if found else value
        return super().to_python(value)


class ChooseForm(ChooseOwnerForm):
    """What staff choose from: a large team has too many for a list."""

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, organization=organization, **kwargs)
        people = organization.eligible_owners()
        if len(people.values_list("pk", flat=True)[: MOST_OFFERED + 1]) > MOST_OFFERED:
            self.fields["to"] = FindPersonField(people, label=_("The new owner's e-mail address"))


def transfer_view(request: HttpRequest, organization_id: int) -> HttpResponse:
    """Require the permission and a second factor, then proof of who it is, then go on."""
    assert isinstance(request.user, User)
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    return _transfer(request, organization_id)


@proof_required(
    gettext_lazy("Transferring ownership needs a second factor. Set one up, then come back.")
)
def _transfer(request: HttpRequest, organization_id: int) -> HttpResponse:
    seen = seen_by(_staff(request)).select_related("owner")
    organization = get_object_or_404(seen, pk=organization_id)
    chosen = ChooseForm(request.GET or None, organization=organization)
    if not chosen.is_valid():
        return _page(request, organization, {"choose": chosen})
    new_owner = chosen.cleaned_data["to"]
    form = TransferForm(request.POST or None, organization=organization)
    if form.is_valid():
        try:
            transfer = services.transfer_ownership(
                organization=organization,
                new_owner=new_owner,
                by=_staff(request),
                reason=form.cleaned_data["reason"],
                keep_billing_email=form.cleaned_data.get("keep_billing_email", False),
            )
        except services.TransferRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            done = _("%(person)s owns %(name)s now. Both people get a mail.")
            facts = {"person": new_owner.get_full_name(), "name": organization.name}
            messages.success(request, done % facts)
            return redirect("admin:orgs_ownershiptransfer_change", transfer.pk)
    context = {
        "form": form,
        "new_owner": new_owner,
        "preview": preview_transfer(organization, new_owner, clock.now()),
    }
    return _page(request, organization, context)


def _staff(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def _page(
    request: HttpRequest, organization: Organization, context: dict[str, object]
) -> HttpResponse:
    form = context.get("form") or context["choose"]
    assert isinstance(form, ChooseOwnerForm | TransferForm)
    page = {
        **admin.site.each_context(request),
        "title": _("Transfer ownership of %(name)s") % {"name": organization.name},
        "opts": Organization._meta,
        "organization": organization,
        "requests": organization.ownership_transfer_requests.pending().select_related(
            "requested_by", "new_owner"
        ),
        **context,
    }
    status = 422 if form.errors else 200
    return render(request, "admin/orgs/organization/transfer.html", page, status=status)
