from __future__ import annotations

from collections.abc import Callable

from allauth.decorators import rate_limit
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Prefetch, Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.managers import UserQuerySet
from accounts.services import OwnsOrganization
from orgs import clock, services
from orgs.decorators import MemberRequest, member_required, permission_required
from orgs.forms import AssignRoleForm, InviteForm, TeamFilterForm
from orgs.models import Invitation, Organization, Role, UserRoleAssignment
from orgs.permissions import explain
from orgs.seats import seats_of

PAGE_SIZE = 50
# So many open invitations are shown; who sends more, waits for most of them.
MOST_INVITATIONS = 100


@require_safe
@member_required
def team(request: MemberRequest) -> HttpResponse:
    return _team_page(request)


@require_POST
@permission_required("orgs.invite_members")
@rate_limit(action="invite")  # type: ignore[untyped-decorator]
def invite(request: MemberRequest) -> HttpResponse:
    form = InviteForm(request.POST, organization=request.organization)
    if not form.is_valid():
        return _team_page(request, form, status=422)
    try:
        invitation = services.invite(
            organization=request.organization,
            email=form.cleaned_data["email"],
            roles=form.cleaned_data["roles"],
            by=request.user,
            now=timezone.now(),
        )
    except services.AlreadyMember:
        form.add_error("email", _("This person is on your team already."))
    except services.MemberDeleted:
        words = _(
            "This person was on your team and has been deleted. Ask our staff to restore them."
        )
        form.add_error("email", words)
    except services.GivesTooMuch:
        form.add_error(
            "roles", _("You cannot offer a role that holds more than your own roles do.")
        )
    except services.NotAllowed:
        form.add_error("roles", _("Your role does not include giving roles."))
    except services.NoSeatLeft as refusal:
        form.add_error(None, _all_taken(request, refusal))
    else:
        sent = _("We sent an invitation to %(email)s.") % {"email": invitation.email}
        messages.success(request, sent)
        return _to_team(request)
    return _team_page(request, form, status=422)


@require_POST
@permission_required("orgs.invite_members")
@rate_limit(action="invite")  # type: ignore[untyped-decorator]
def resend_invitation(request: MemberRequest, invitation_id: int) -> HttpResponse:
    invitation = get_object_or_404(request.organization.invitations, pk=invitation_id)
    try:
        services.resend_invitation(invitation=invitation, by=request.user, now=timezone.now())
    except services.InvitationClosed:
        messages.error(request, _("This invitation was accepted or taken back meanwhile."))
    except services.NoSeatLeft as refusal:
        messages.error(request, _all_taken(request, refusal))
    else:
        sent = _("We sent the invitation to %(email)s again.") % {"email": invitation.email}
        messages.success(request, sent)
    return _to_team(request)


@require_POST
@permission_required("orgs.invite_members")
def revoke_invitation(request: MemberRequest, invitation_id: int) -> HttpResponse:
    invitation = get_object_or_404(request.organization.invitations, pk=invitation_id)
    try:
        services.revoke_invitation(invitation=invitation, by=request.user, now=timezone.now())
    except services.InvitationClosed:
        # It was taken back already, or accepted: the page shows which.
        pass
    else:
        facts = {"email": invitation.email}
        messages.success(request, _("The invitation to %(email)s is taken back.") % facts)
    return _to_team(request)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("orgs.remove_members")
def remove_member(request: MemberRequest, user_id: int) -> HttpResponse:
    """Ask first: what ends with it is on the page."""
    organization = request.organization
    person = get_object_or_404(organization.people(), pk=user_id)
    refusal = None
    if request.method == "POST":
        try:
            services.remove_member(
                organization=organization, user=person, by=request.user, now=clock.now()
            )
        except OwnsOrganization:
            refusal = _("The owner cannot be removed. Ownership has to be transferred first.")
        else:
            facts = {"person": person.get_full_name(), "name": organization.name}
            messages.success(request, _("%(person)s is no longer in %(name)s.") % facts)
            # Who removes themself has left, and stays signed in no longer.
            return _to_team(request)
    context = {
        "organization": organization,
        "person": person,
        "is_owner": organization.owner_id == person.pk,
        "held": person.role_assignments.active().select_related("role"),
        "grant_count": organization.grants.filter(user=person).count(),
        "refusal": refusal,
    }
    return render(request, "orgs/remove.html", context, status=409 if refusal else 200)


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
    except services.NotAMember:
        facts = {"person": person.get_full_name()}
        messages.error(request, _("%(person)s cannot hold a role at the moment.") % facts)
    return _to_team(request)


def _to_team(request: MemberRequest) -> HttpResponse:
    """Lead back to the team, filtered as it was."""
    return redirect(reverse("orgs:team", query=request.GET))


def _all_taken(request: MemberRequest, refusal: services.NoSeatLeft) -> str:
    owner = request.organization.owner
    facts = {"limit": refusal.seats.limit, "owner": owner.get_full_name()}
    if owner.pk == request.user.pk:
        return _("All %(limit)s seats are taken. Change your plan to have more.") % facts
    return _("All %(limit)s seats are taken. Ask %(owner)s for a plan with more.") % facts


def _team_page(
    request: MemberRequest, form: InviteForm | None = None, status: int = 200
) -> HttpResponse:
    organization = request.organization
    now = clock.now()

    def may(permission: str) -> bool:
        return explain(request.user, permission, organization, now).allowed

    roles = list(Role.objects.for_members_of(organization))
    wanted = TeamFilterForm(request.GET, roles=roles)
    members = Paginator(_found(organization, wanted), PAGE_SIZE)
    may_assign = may("orgs.assign_roles")
    context = {
        "organization": organization,
        "owner": organization.owner,
        "is_owner": organization.owner_id == request.user.pk,
        "seats": seats_of(organization, organization.tier_at(now)),
        "filter": wanted,
        "members": members.get_page(request.GET.get("page")),
        "roles": roles,
        "may_invite": may("orgs.invite_members"),
        "may_assign": may_assign,
        "may_remove": may("orgs.remove_members"),
        "may_view_activity": may("orgs.view_activity"),
        "invitations": _invitations(request),
        "now": timezone.now(),
        "form": form or InviteForm(organization=organization, offers_roles=may_assign),
    }
    return render(request, "orgs/team.html", context, status=status)


def _found(organization: Organization, wanted: TeamFilterForm) -> UserQuerySet:
    people, held = organization.people(), UserRoleAssignment.objects.active()
    if wanted.is_valid():
        if text := wanted.cleaned_data["q"]:
            people = people.filter(Q(name__icontains=text) | Q(email__icontains=text))
        if role := wanted.cleaned_data["role"]:
            holders = held.filter(organization=organization, role=role)
            people = people.filter(pk__in=holders.values("user"))
    roles = Prefetch("role_assignments", held.select_related("role"))
    return people.order_by("name", "email").prefetch_related(roles)


def _invitations(request: MemberRequest) -> list[Invitation]:
    pending = request.organization.invitations.pending().prefetch_related("roles")
    return list(pending.order_by("-created_at")[:MOST_INVITATIONS])
