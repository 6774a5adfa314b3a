from __future__ import annotations

from typing import Any

from allauth.account.decorators import reauthentication_required
from allauth.core.ratelimit import consume, respond_429
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import exits, times
from accounts.models import User
from accounts.services import OwnsOrganization, PersonErased
from orgs import emails, services
from orgs.account_forms import ComeBackForm, DeleteAccountForm
from orgs.models import Organization, SoftDeletion
from orgs.services.erasure import COME_BACK_WITHIN


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def delete_account(request: HttpRequest) -> HttpResponse:
    """Delete one's own account, also when locked out: the gate lets this page through."""
    assert isinstance(request.user, User)
    if request.user.is_developer:
        return render(request, "orgs/delete_account.html", {"is_developer": True}, status=403)
    response: HttpResponse = _delete_signed_in(request)
    return response


@reauthentication_required  # type: ignore[untyped-decorator]
def _delete_signed_in(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)
    return _delete(request, request.user)


@require_http_methods(["GET", "HEAD", "POST"])
def delete_from_outside(request: HttpRequest, token: str) -> HttpResponse:
    """The same for somebody whom the lock kept out at log-in, after they proved who they are."""
    person = exits.person_of("orgs:delete_from_outside", token)
    if person is None:
        raise Http404
    return _delete(request, person)


def _delete(request: HttpRequest, person: User) -> HttpResponse:
    own = person.owned_organizations.select_related("tier").first()
    is_alone = own is not None and not own.people().exclude(pk=person.pk).exists()
    context: dict[str, Any] = {
        "person": person,
        "own": own,
        "is_alone": is_alone,
        "days": COME_BACK_WITHIN.days,
    }
    if own is not None and not is_alone:
        status = 409 if request.method == "POST" else 200
        return render(request, "orgs/delete_account.html", context, status=status)
    form = DeleteAccountForm(request.POST or None, person=person, closing=own)
    if form.is_valid():
        obstacle = _try_to_delete(person, closing_own=own is not None)
        if obstacle is None:
            return _deleted(request, person)
        form.add_error(None, obstacle)
    context["form"] = form
    status = 422 if form.errors else 200
    return render(request, "orgs/delete_account.html", context, status=status)


def _try_to_delete(person: User, *, closing_own: bool) -> str | None:
    """Return what stands in the way, in words, or None when the account is deleted."""
    try:
        services.delete_own_account(user=person, now=timezone.now(), closing_own=closing_own)
    except services.StillBilled:
        return _("Your organization still has a subscription: close it first.")
    except (services.HasOtherMembers, OwnsOrganization, services.NotAMember, services.NotOwner):
        return _("Your team has changed meanwhile. Look again.")
    except (services.AlreadyDeleted, services.DevelopersAskColleagues) as refusal:
        return str(refusal)
    return None


def _deleted(request: HttpRequest, person: User) -> HttpResponse:
    person.refresh_from_db()
    if request.user == person:
        logout(request)
    assert person.erase_after is not None
    words = _("Your account is deleted. Until %(date)s you can come back by the link in our mail.")
    messages.success(request, words % {"date": times.day(person.erase_after)})
    return redirect("account_login")


@require_http_methods(["GET", "HEAD", "POST"])
def come_back(request: HttpRequest, token: str) -> HttpResponse:
    """The way back of somebody who deleted their own account: the link of the mail, and their
    password. It logs in nobody: that is the log-in's, with its second factor."""
    deletion = _deletion(token)
    person = deletion.user
    if deletion.restored_at is not None:
        return render(request, "orgs/come_back_over.html", {"is_back": True}, status=410)
    if not services.can_come_back(deletion, person, timezone.now()):
        return render(request, "orgs/come_back_over.html", status=410)
    if request.method == "POST" and not consume(request, action="reauthenticate", user=person):
        too_often: HttpResponse = respond_429(request)
        return too_often
    form = ComeBackForm(request.POST or None, person=person)
    if form.is_valid():
        return _come_back(request, deletion)
    context = {"form": form, "person": person, **_team_of(person.organization)}
    status = 422 if form.errors else 200
    return render(request, "orgs/come_back.html", context, status=status)


def _deletion(token: str) -> SoftDeletion:
    try:
        pk = emails.deletion_id(token)
    except signing.BadSignature as error:
        raise Http404 from error
    return get_object_or_404(SoftDeletion.objects.select_related("user__organization"), pk=pk)


def _team_of(organization: Organization | None) -> dict[str, Any]:
    takes_back = organization is not None and services.takes_back(organization)
    return {"organization": organization, "takes_back": takes_back}


def _come_back(request: HttpRequest, deletion: SoftDeletion) -> HttpResponse:
    try:
        person = services.come_back(deletion=deletion, now=timezone.now())
    except (services.CannotComeBack, services.NotDeleted, services.NotAMember, PersonErased):
        # Somebody was faster; this page, opened again, says what holds now.
        return redirect(request.path)
    if person.organization is None:
        messages.success(request, _("You are back, and belong to no organization. Log in."))
    else:
        facts = {"name": person.organization.name}
        messages.success(request, _("You are back, on the team of %(name)s. Log in.") % facts)
    return redirect("account_login")
