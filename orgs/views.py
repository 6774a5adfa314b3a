from __future__ import annotations

from collections.abc import Callable

from allauth.account.utils import perform_login
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core import signing
from django.core.exceptions import ValidationError
from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.http import client_address
from accounts.models import User
from accounts.services import AddressTaken
from orgs import clock, emails, services
from orgs.decorators import MemberRequest, member_required, permission_required
from orgs.forms import AssignRoleForm, FoundForm, InviteForm, JoinForm, TransferRequestForm
from orgs.models import Invitation, Role, UserRoleAssignment
from orgs.permissions import explain


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The landing page for visitors; who you are, your team and your plan for everybody else."""
    if not isinstance(request.user, User):
        return render(request, "orgs/landing.html")
    organization = request.user.organization
    if organization is None:
        return render(request, "orgs/no_organization.html", {"form": FoundForm()})
    context = {
        "organization": organization,
        "tier": organization.tier_at(clock.now()),
        "is_owner": organization.owner_id == request.user.pk,
        "member_count": organization.members.get_queryset().present().count(),
    }
    return render(request, "orgs/home.html", context)


@require_POST
@login_required
def found(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)
    form = FoundForm(request.POST)
    if not form.is_valid():
        return render(request, "orgs/no_organization.html", {"form": form}, status=422)
    try:
        services.found_organization(
            name=form.cleaned_data["name"],
            owner=request.user,
            ip_address=client_address(request),
        )
    except services.AlreadyMember:
        messages.error(request, _("You belong to an organization already."))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("home")


@require_safe
@member_required
def team(request: MemberRequest) -> HttpResponse:
    return _team_page(request, InviteForm())


@require_POST
@permission_required("orgs.invite_members")
def invite(request: MemberRequest) -> HttpResponse:
    form = InviteForm(request.POST)
    if not form.is_valid():
        return _team_page(request, form, status=422)
    try:
        invitation = services.invite(
            organization=request.organization,
            email=form.cleaned_data["email"],
            by=request.user,
            now=timezone.now(),
        )
    except services.AlreadyMember:
        form.add_error("email", _("This person is on your team already."))
        return _team_page(request, form, status=422)
    messages.success(
        request, _("We sent an invitation to %(email)s.") % {"email": invitation.email}
    )
    return redirect("orgs:team")


@require_POST
@permission_required("orgs.assign_roles")
def assign_role(request: MemberRequest) -> HttpResponse:
    return _change_role(request, services.assign_role)


@require_POST
@permission_required("orgs.assign_roles")
def revoke_role(request: MemberRequest) -> HttpResponse:
    return _change_role(request, services.revoke_role)


def _change_role(request: MemberRequest, change: Callable[..., UserRoleAssignment]) -> HttpResponse:
    form = AssignRoleForm(request.POST, organization=request.organization)
    if not form.is_valid():
        raise Http404
    person, role = form.cleaned_data["person"], form.cleaned_data["role"]
    try:
        change(user=person, role=role, by=request.user, now=clock.now())
    except services.GivesTooMuch:
        words = _(
            "You cannot give or take the role %(role)s: it holds more than your own roles do."
        )
        messages.error(request, words % {"role": role})
    except (services.AlreadyHeld, services.NotHeld):
        # Somebody was faster, or clicked twice: it is as they wanted it.
        pass
    return redirect("orgs:team")


def _team_page(request: MemberRequest, form: InviteForm, status: int = 200) -> HttpResponse:
    organization = request.organization
    now = clock.now()
    members = organization.members.get_queryset().present().order_by("name", "email")
    held = Prefetch("role_assignments", UserRoleAssignment.objects.active().select_related("role"))
    context = {
        "organization": organization,
        "owner": organization.owner,
        "is_owner": organization.owner_id == request.user.pk,
        "members": members.prefetch_related(held),
        "roles": Role.objects.for_members_of(organization),
        "may_invite": explain(request.user, "orgs.invite_members", organization, now).allowed,
        "may_assign": explain(request.user, "orgs.assign_roles", organization, now).allowed,
        "invitations": organization.invitations.pending().order_by("-created_at"),
        "now": timezone.now(),
        "form": form,
    }
    return render(request, "orgs/team.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@member_required
def request_transfer(request: MemberRequest) -> HttpResponse:
    """The owner asks staff to hand the organization on."""
    organization = request.organization
    form = TransferRequestForm(request.POST or None, organization=organization)
    if form.is_valid():
        try:
            services.request_ownership_transfer(
                organization=organization,
                new_owner=form.cleaned_data["to"],
                by=request.user,
                reason=form.cleaned_data["reason"],
                now=timezone.now(),
            )
        except services.NotOwner:
            form.add_error(None, _("Only the owner can ask for this."))
        except services.RequestPending:
            form.add_error(None, _("You have asked already; our staff will answer."))
        except services.TransferRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("We have your request. Our staff will look at it."))
            return redirect("orgs:request_transfer")
    context = {
        "organization": organization,
        "owner": organization.owner,
        "is_owner": organization.owner_id == request.user.pk,
        "has_candidates": organization.eligible_owners().exists(),
        "pending": organization.ownership_transfer_requests.pending()
        .select_related("new_owner")
        .first(),
        "form": form,
    }
    status = 422 if form.errors else 200
    return render(request, "orgs/request_transfer.html", context, status=status)


@require_POST
@member_required
def withdraw_transfer_request(request: MemberRequest) -> HttpResponse:
    pending = request.organization.ownership_transfer_requests.pending().first()
    if pending is not None:
        try:
            services.close_ownership_transfer_request(
                request=pending, by=request.user, now=timezone.now()
            )
        except services.ActorNotAllowed:
            messages.error(request, _("Only the owner can withdraw it."))
        else:
            messages.success(request, _("You withdrew your request."))
    return redirect("orgs:request_transfer")


@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Accept an invitation, as somebody signed in or as somebody new."""
    try:
        offer = get_object_or_404(
            Invitation.objects.select_related("organization", "invited_by"),
            pk=emails.invitation_id(token),
        )
    except signing.BadSignature as error:
        raise Http404 from error
    if not offer.is_open(timezone.now()):
        return render(request, "orgs/invitation_closed.html", {"invitation": offer}, status=410)
    if isinstance(request.user, User):
        return _accept_as(request, offer, request.user)
    if User.objects.filter(email=offer.email).exists():
        return render(request, "orgs/invitation_log_in.html", {"invitation": offer})
    return _join_as_new_person(request, offer)


def _accept_as(request: HttpRequest, offer: Invitation, person: User) -> HttpResponse:
    error = None
    if request.method == "POST":
        try:
            services.accept_invitation(invitation=offer, person=person, now=timezone.now())
        except services.InvitationClosed:
            error = _("This invitation is no longer open.")
        except services.WrongPerson:
            error = _("This invitation was sent to another address.")
        except services.AlreadyMember:
            error = _("You belong to an organization already, and one at a time is the rule.")
        else:
            messages.success(request, _("Welcome to %(name)s.") % {"name": offer.organization.name})
            return redirect("home")
    context = {"invitation": offer, "error": error, "is_addressee": person.email == offer.email}
    return render(request, "orgs/invitation_accept.html", context, status=409 if error else 200)


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
    except (services.InvitationClosed, AddressTaken):
        # Somebody was faster; this page, opened again, says what holds now.
        return redirect(request.path)
    response: HttpResponse = perform_login(request, person)
    return response
