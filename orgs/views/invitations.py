from __future__ import annotations

from allauth.account.utils import perform_login
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.models import User
from accounts.services import AddressTaken
from orgs import clock, emails, services
from orgs.forms import JoinForm
from orgs.models import Invitation
from orgs.seats import seats_of


@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Accept an invitation, as somebody signed in or as somebody new."""
    try:
        offer = get_object_or_404(
            Invitation.objects.select_related("organization__tier", "invited_by"),
            pk=emails.invitation_id(token),
        )
    except signing.BadSignature as error:
        raise Http404 from error
    if not offer.is_open(timezone.now()):
        return render(request, "orgs/invitation_closed.html", {"invitation": offer}, status=410)
    if isinstance(request.user, User):
        return _accept_as(request, offer, request.user)
    if obstacle := _obstacle(offer):
        return _waiting(request, offer, obstacle)
    known = User.objects.filter(email=offer.email).first()
    if known is None:
        return _join_as_new_person(request, offer)
    if not known.is_present:
        return _waiting(request, offer, _("The account of this address is not in use any more."))
    return render(request, "orgs/invitation_log_in.html", {"invitation": offer})


def _obstacle(offer: Invitation) -> str:
    """Say why nobody can join at the moment; an empty text when somebody can."""
    organization, now = offer.organization, clock.now()
    facts = {"name": organization.name}
    if organization.closed_at is not None:
        return _("%(name)s is closed.") % facts
    if organization.is_locked(now):
        return _("%(name)s cannot take in anybody at the moment.") % facts
    if not seats_of(organization, organization.tier_at(now)).is_one_free:
        return _("All seats of %(name)s are taken.") % facts
    return ""


def _waiting(request: HttpRequest, offer: Invitation, obstacle: str) -> HttpResponse:
    context = {"invitation": offer, "obstacle": obstacle}
    return render(request, "orgs/invitation_waiting.html", context, status=409)


def _accept_as(request: HttpRequest, offer: Invitation, person: User) -> HttpResponse:
    if person.email != offer.email or person.is_developer:
        return render(
            request, "orgs/invitation_wrong_person.html", {"invitation": offer}, status=409
        )
    if person.organization_id == offer.organization_id:
        return redirect("home")
    if obstacle := _obstacle(offer):
        return _waiting(request, offer, obstacle)
    own = person.organization
    is_owner = own is not None and own.owner_id == person.pk
    is_alone = own is not None and not own.people().exclude(pk=person.pk).exists()
    error = None
    if request.method == "POST":
        error = _accept(request, offer, person, closing_own=is_owner and is_alone)
        if error is None:
            facts = {"name": offer.organization.name}
            messages.success(request, _("Welcome to %(name)s.") % facts)
            return redirect("home")
    context = {
        "invitation": offer,
        "error": error,
        "own": own,
        "is_owner": is_owner,
        "is_alone": is_alone,
    }
    return render(request, "orgs/invitation_accept.html", context, status=409 if error else 200)


def _accept(
    request: HttpRequest, offer: Invitation, person: User, *, closing_own: bool
) -> str | None:
    """Return what stands in the way, in words, or None when they are in."""
    # Closing is asked for by a box of its own; without it, whoever belongs elsewhere stays there.
    is_sure = closing_own and request.POST.get("close_own") == "on"
    try:
        services.accept_invitation(
            invitation=offer, person=person, now=timezone.now(), closing_own=is_sure
        )
    except services.InvitationClosed:
        return _("This invitation is no longer open.")
    except services.WrongPerson:
        return _("This invitation was sent to another address.")
    except services.AlreadyMember:
        if closing_own:
            return _("Tick the box to close your own organization and join.")
        return _("You belong to an organization already, and one at a time is the rule.")
    except services.StillBilled:
        return _("Your own organization still has a subscription: close it first.")
    except services.HasOtherMembers:
        return _("Somebody has joined your own organization meanwhile.")
    except (services.OrganizationIsClosed, services.OrganizationLocked, services.NoSeatLeft):
        return _obstacle(offer) or _("Somebody was faster. Try again.")
    # Closing one's own organization ended one's sessions, this one too.
    if is_sure:
        person.refresh_from_db()
        update_session_auth_hash(request, person)
    return None


def _join_as_new_person(request: HttpRequest, offer: Invitation) -> HttpResponse:
    form = JoinForm(request.POST or None, email=offer.email)
    if not form.is_valid():
        status = 422 if form.is_bound else 200
        context = {"invitation": offer, "form": form}
        return render(request, "orgs/invitation_join.html", context, status=status)
    try:
        person = services.join_as_new_person(
            invitation=offer,
            name=form.cleaned_data["name"],
            password=form.cleaned_data["password"],
            now=timezone.now(),
        )
    except (
        services.InvitationClosed,
        services.NoSeatLeft,
        services.OrganizationIsClosed,
        services.OrganizationLocked,
        AddressTaken,
    ):
        # Somebody was faster; this page, opened again, says what holds now.
        return redirect(request.path)
    response: HttpResponse = perform_login(request, person)
    return response
