"""Somebody of whom there is a row of every kind, for what exports tell and erasure takes."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.utils import timezone
from guardian.shortcuts import assign_perm

from accounts.activity import week_of
from accounts.models import ActiveWeek, User
from orgs import services
from orgs.models import Organization, Role
from tests.cast import Cast, add_member
from tests.second_factor import set_up_second_factor
from tests.staff import allow

NAME, EMAIL, OTHER_EMAIL = "Cleo Quill", "cleo.quill@example.com", "quill@example.org"
INVITE = "orgs.invite_members"


def make_cleo(cast: Cast) -> User:
    """Cleo was on Acme's team, deleted and restored; then founded a team, gave it away, and got it
    back: she owns it, and holds everything that a person can."""
    now = timezone.now()
    cleo = add_member(cast.acme, email=EMAIL, name=NAME)
    services.soft_delete(user=cleo, by=cast.dana, reason="Cleo Quill asked us to.")
    services.restore(user=cleo, by=cast.dana)
    services.leave_organization(user=cleo, now=now)
    cleo.refresh_from_db()
    own = services.found_organization(name="Feathers", owner=cleo)
    cleo.refresh_from_db()
    heir = add_member(own)
    _ask_and_hand_on(own, heir, cast.dana)
    _ask_and_hand_on(own, cleo, cast.dana)
    cleo.refresh_from_db()
    held = services.assign_role(user=cleo, role=Role.objects.get(key="admin"), by=cleo, now=now)
    assign_perm(INVITE, cleo, own)
    allow(cleo, "orgs.view_tier")
    cleo.groups.add(Group.objects.create(name="Friends"))
    set_up_second_factor(cleo)
    ActiveWeek.objects.create(person=cleo, organization_id=own.pk, week=week_of(now))
    UserSession.objects.create(
        user=cleo, ip="198.51.100.7", user_agent="Firefox", session_key="cleos-own-session"
    )
    EmailAddress.objects.create(user=cleo, email=OTHER_EMAIL, verified=True)
    services.invite(organization=cast.acme, email=OTHER_EMAIL, by=cast.alice, now=now)
    _note_in_the_admin(by=cleo, about=cast.bob)
    _note_in_the_admin(by=cast.dana, about=cleo)
    _note_in_the_admin(by=cast.dana, about=held)
    # From when she had another address, of which nothing else is left.
    _note_in_the_admin(by=cast.dana, about=cleo, called="quill@former.example")
    return cleo


def hand_on(cleo: User, by: User) -> None:
    """Have her team owned by its other member, so that she can go."""
    own = cleo.owned_organizations.get()
    heir = own.people().exclude(pk=cleo.pk).get()
    services.transfer_ownership(organization=own, new_owner=heir, by=by, reason="Agreed.")


def _ask_and_hand_on(organization: Organization, to: User, by: User) -> None:
    services.request_ownership_transfer(
        organization=organization,
        new_owner=to,
        by=organization.owner,
        reason="Cleo Quill has no time.",
        now=timezone.now(),
    )
    services.transfer_ownership(organization=organization, new_owner=to, by=by, reason="Agreed.")
    organization.refresh_from_db()


def _note_in_the_admin(by: User, about: Model, called: str = "") -> None:
    LogEntry.objects.create(
        user=by,
        content_type=ContentType.objects.get_for_model(about),
        object_id=str(about.pk),
        object_repr=called or str(about),
        action_flag=CHANGE,
    )
