"""Giving and taking roles: who may, to whom, how much, and what the log says."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone
from guardian.shortcuts import assign_perm

from accounts.models import User, UserEventLog
from orgs import services
from orgs.models import Organization, Role, RoleKind, Tier, UserRoleAssignment
from tests.cast import Cast, OrganizationFactory, PersonFactory, add_member

pytestmark = pytest.mark.django_db


def role(key: str) -> Role:
    return Role.objects.get(key=key, organization=None)


def give(person: User, key: str, by: User) -> UserRoleAssignment:
    return services.assign_role(user=person, role=role(key), by=by, now=timezone.now())


def take(person: User, key: str, by: User) -> UserRoleAssignment:
    return services.revoke_role(user=person, role=role(key), by=by, now=timezone.now())


def own_role(organization: Organization, *codenames: str) -> Role:
    made = Role.objects.create(key="own", name="Own", organization=organization)
    made.permissions.set(Permission.objects.filter(codename__in=codenames))
    return made


def test_the_owner_gives_and_takes_and_the_log_says_so(cast: Cast) -> None:
    given = give(cast.bob, "admin", cast.alice)
    assert cast.bob.has_perm("orgs.invite_members", cast.acme)
    taken = take(cast.bob, "admin", cast.alice)
    assert given == taken
    assert not User.objects.get(pk=cast.bob.pk).has_perm("orgs.invite_members", cast.acme)
    lines = UserEventLog.objects.filter(event__in=["role_assigned", "role_revoked"])
    assert [(line.event, line.user, line.actor, line.data["key"]) for line in lines] == [
        ("role_assigned", cast.bob, cast.alice, "admin"),
        ("role_revoked", cast.bob, cast.alice, "admin"),
    ]


def test_a_role_is_held_once_and_can_be_given_again(cast: Cast) -> None:
    give(cast.bob, "member", cast.alice)
    with pytest.raises(services.AlreadyHeld):
        give(cast.bob, "member", cast.alice)
    take(cast.bob, "member", cast.alice)
    with pytest.raises(services.NotHeld):
        take(cast.bob, "member", cast.alice)
    give(cast.bob, "member", cast.alice)
    assert cast.bob.role_assignments.active().count() == 1


def test_who_may_not_give_roles_is_told_why(cast: Cast) -> None:
    with pytest.raises(services.NotAllowed) as refusal:
        give(cast.bob, "admin", cast.bob)
    assert refusal.value.verdict is not None
    assert refusal.value.verdict.leg == "no_role"
    with pytest.raises(services.NotAllowed):
        give(cast.bob, "admin", cast.charlie)


def test_nobody_gives_or_takes_what_they_do_not_hold_but_for_the_owner(cast: Cast) -> None:
    cleo = add_member(cast.acme)
    services.assign_role(
        user=cast.bob,
        role=own_role(cast.acme, "assign_roles", "view_billing"),
        by=cast.alice,
        now=timezone.now(),
    )
    give(cleo, "billing_viewer", cast.bob)
    with pytest.raises(services.GivesTooMuch) as refusal:
        give(cleo, "admin", cast.bob)
    assert "orgs.create_roles" in refusal.value.missing
    give(cleo, "admin", cast.alice)
    with pytest.raises(services.GivesTooMuch):
        take(cleo, "admin", cast.bob)


def test_a_direct_grant_counts_as_held(cast: Cast) -> None:
    cleo = add_member(cast.acme)
    for permission in ("orgs.assign_roles", "orgs.view_billing"):
        assign_perm(permission, cast.bob, cast.acme)
    give(cleo, "billing_viewer", cast.bob)
    assert cleo.has_perm("orgs.view_billing", cast.acme)


def test_roles_are_for_those_who_belong(cast: Cast) -> None:
    with pytest.raises(services.NotAMember):
        give(cast.charlie, "admin", cast.alice)
    with pytest.raises(services.WrongKind):
        give(cast.bob, "support", cast.dana)
    User.objects.filter(pk=cast.bob.pk).update(is_active=False)
    with pytest.raises(services.NotAMember):
        give(cast.bob, "admin", cast.alice)


def test_an_organizations_own_role_stays_there(cast: Cast) -> None:
    other = OrganizationFactory.create()
    with pytest.raises(services.WrongKind):
        services.assign_role(user=cast.bob, role=own_role(other), by=cast.alice, now=timezone.now())


def test_a_role_that_changed_since_it_was_loaded_is_given_as_it_is_now(cast: Cast) -> None:
    moved, gone = own_role(cast.acme), own_role(OrganizationFactory.create())
    Role.objects.filter(pk=moved.pk).update(organization=OrganizationFactory.create())
    Role.objects.filter(pk=gone.pk).delete()
    for role in (moved, gone):
        with pytest.raises(services.WrongKind):
            services.assign_role(user=cast.bob, role=role, by=cast.alice, now=timezone.now())


def test_staff_give_developer_roles_and_nobody_else_does(cast: Cast) -> None:
    helper = PersonFactory.create(user_type="developer", is_staff=True)
    give(helper, "support", cast.dana)
    assert helper.has_perm("orgs.view_billing", cast.acme)
    for person in (cast.alice, helper):
        with pytest.raises(services.NotAllowed):
            give(PersonFactory.create(user_type="developer"), "engineer", person)


def test_planting_again_changes_nothing_that_staff_changed(db: None) -> None:
    role("admin").permissions.clear()
    Tier.objects.get(key="pro").entitlements.clear()
    services.plant_defaults()
    assert not role("admin").permissions.exists()
    assert not Tier.objects.get(key="pro").entitlements.exists()
    assert {each.kind for each in Role.objects.all()} == set(RoleKind)
