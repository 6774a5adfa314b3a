"""Direct grants: who gives and takes them, to whom, how far they reach, and what the log says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, Group, Permission
from django.core.management.sql import emit_post_migrate_signal
from django.db import DatabaseError, connection
from django.utils import timezone
from guardian.shortcuts import assign_perm
from pytest_django import DjangoAssertNumQueries

from accounts.models import User, UserEventLog
from orgs import services
from orgs.models import Grant, Organization, Role, Tier
from orgs.permissions import CHANGE, FEATURES, VIEW, Leg, Verdict, explain, seen_by
from tests.cast import Cast, OrganizationFactory, add_member, lock, make_cast
from tests.staff import allow, grant, make_developer, revoke

pytestmark = pytest.mark.django_db

BILLING, ACTIVITY, ASSIGN = "orgs.view_billing", "orgs.view_activity", "orgs.assign_roles"


def ask(person: User, permission: str, organization: Organization) -> Verdict:
    """The answer that a new request gets."""
    person = User.objects.get_queryset().with_access().get(pk=person.pk)
    organization = Organization.objects.select_related("tier").get(pk=organization.pk)
    return explain(person, permission, organization, timezone.now())


def on_tier(organization: Organization, key: str) -> None:
    Organization.objects.filter(pk=organization.pk).update(tier=Tier.objects.get(key=key))


def test_the_owner_grants_and_revokes_and_the_log_says_so(cast: Cast) -> None:
    grant(cast.bob, BILLING, cast.acme, by=cast.alice)
    assert ask(cast.bob, BILLING, cast.acme) == Verdict(True, Leg.GRANT)
    revoke(cast.bob, BILLING, cast.acme, by=cast.alice)
    assert ask(cast.bob, BILLING, cast.acme) == Verdict(False, Leg.NO_ROLE)
    lines = UserEventLog.objects.filter(event__startswith="permission_")
    assert [
        (line.event, line.user, line.actor, line.organization, line.data) for line in lines
    ] == [
        (event, cast.bob, cast.alice, cast.acme, {"permission": BILLING})
        for event in ("permission_granted", "permission_revoked")
    ]


def test_a_permission_is_granted_once_and_can_be_granted_again(cast: Cast) -> None:
    grant(cast.bob, BILLING, cast.acme, by=cast.alice)
    with pytest.raises(services.AlreadyHeld):
        grant(cast.bob, BILLING, cast.acme, by=cast.alice)
    revoke(cast.bob, BILLING, cast.acme, by=cast.alice)
    with pytest.raises(services.NotHeld):
        revoke(cast.bob, BILLING, cast.acme, by=cast.alice)
    grant(cast.bob, BILLING, cast.acme, by=cast.alice)
    assert Grant.objects.count() == 1


def refuse_the_log(execute: Any, sql: str, *args: Any) -> Any:
    if sql.startswith(f'INSERT INTO "{UserEventLog._meta.db_table}"'):
        raise DatabaseError("no room for a line")
    return execute(sql, *args)


def test_without_its_line_in_the_log_nothing_is_granted_or_revoked(cast: Cast) -> None:
    with connection.execute_wrapper(refuse_the_log), pytest.raises(DatabaseError):
        grant(cast.bob, BILLING, cast.acme, by=cast.alice)
    assert not Grant.objects.exists()
    grant(cast.bob, BILLING, cast.acme, by=cast.alice)
    with connection.execute_wrapper(refuse_the_log), pytest.raises(DatabaseError):
        revoke(cast.bob, BILLING, cast.acme, by=cast.alice)
    assert Grant.objects.exists()


def test_members_are_granted_things_in_their_own_organization(cast: Cast) -> None:
    other = OrganizationFactory.create()
    for outsider in (cast.charlie, other.owner):
        with pytest.raises(services.NotAMember):
            grant(outsider, BILLING, cast.acme, by=cast.alice)
    User.objects.filter(pk=cast.bob.pk).update(deleted_at=timezone.now(), is_active=False)
    with pytest.raises(services.NotAMember):
        grant(cast.bob, BILLING, cast.acme, by=cast.dana)


def test_what_somebody_was_granted_who_has_left_can_be_taken(cast: Cast) -> None:
    grant(cast.bob, BILLING, cast.acme, by=cast.alice)
    User.objects.filter(pk=cast.bob.pk).update(organization=None)
    assert ask(cast.bob, BILLING, cast.acme) == Verdict(False, Leg.NOT_A_MEMBER)
    revoke(cast.bob, BILLING, cast.acme, by=cast.alice)
    assert not Grant.objects.exists()


def test_whoever_may_assign_roles_may_grant_what_they_hold(cast: Cast) -> None:
    cleo = add_member(cast.acme)
    with pytest.raises(services.NotAllowed) as refusal:
        grant(cleo, BILLING, cast.acme, by=cast.bob)
    assert refusal.value.verdict == Verdict(False, Leg.NO_ROLE)
    grant(cast.bob, ASSIGN, cast.acme, by=cast.alice)
    with pytest.raises(services.GivesTooMuch) as too_much:
        grant(cleo, BILLING, cast.acme, by=cast.bob)
    assert too_much.value.missing == {BILLING}
    grant(cast.bob, BILLING, cast.acme, by=cast.alice)
    grant(cleo, BILLING, cast.acme, by=cast.bob)
    revoke(cast.bob, BILLING, cast.acme, by=cast.alice)
    with pytest.raises(services.GivesTooMuch):
        revoke(cleo, BILLING, cast.acme, by=cast.bob)


def test_nobody_grants_in_another_organization(cast: Cast) -> None:
    other = OrganizationFactory.create()
    for permission in FEATURES:
        with pytest.raises(services.NotAllowed):
            grant(cast.bob, permission, cast.acme, by=other.owner)
    grant(cast.bob, BILLING, cast.acme, by=cast.alice)
    with pytest.raises(services.NotAllowed):
        revoke(cast.bob, BILLING, cast.acme, by=other.owner)


@pytest.mark.parametrize(
    "permission",
    [VIEW, CHANGE, "orgs.delete_organization", "orgs.view_grant", "accounts.view_user", "nonsense"],
)
def test_members_are_granted_features_only(cast: Cast, permission: str) -> None:
    with pytest.raises(services.NotGrantable):
        grant(cast.bob, permission, cast.acme, by=cast.alice)


@pytest.mark.parametrize(
    "permission", ["orgs.delete_organization", "orgs.add_grant", "accounts.view_user", "nonsense"]
)
def test_developers_are_granted_features_and_the_admins_two(cast: Cast, permission: str) -> None:
    helper = make_developer()
    for each in (VIEW, CHANGE, BILLING):
        grant(helper, each, cast.acme, by=cast.dana)
    with pytest.raises(services.NotGrantable):
        grant(helper, permission, cast.acme, by=cast.dana)


def test_what_no_service_grants_can_be_taken_all_the_same(cast: Cast) -> None:
    assign_perm("orgs.delete_organization", cast.bob, cast.acme)
    revoke(cast.bob, "orgs.delete_organization", cast.acme, by=cast.alice)
    assert not Grant.objects.exists()


def test_staff_grant_to_developers_by_djangos_permissions(cast: Cast) -> None:
    helper, giver = make_developer(), make_developer("orgs.add_grant", VIEW)
    no_staff = make_developer("orgs.add_grant", VIEW, is_staff=False)
    for nobody in (cast.alice, make_developer(VIEW), no_staff):
        with pytest.raises(services.NotAllowed):
            grant(helper, VIEW, cast.acme, by=nobody)
    grant(helper, VIEW, cast.acme, by=giver)
    with pytest.raises(services.NotAllowed):
        revoke(helper, VIEW, cast.acme, by=giver)
    revoke(helper, VIEW, cast.acme, by=make_developer("orgs.delete_grant", VIEW))


def test_staff_who_are_gone_grant_nothing(cast: Cast) -> None:
    giver = make_developer("orgs.add_grant", VIEW)
    User.objects.filter(pk=giver.pk).update(deleted_at=timezone.now(), is_active=False)
    with pytest.raises(services.NotAllowed) as refusal:
        grant(make_developer(), VIEW, cast.acme, by=giver)
    assert refusal.value.permission == "orgs.add_grant"


def test_only_superusers_grant_to_themselves(cast: Cast) -> None:
    giver = make_developer("orgs.add_grant", "orgs.delete_grant", VIEW)
    with pytest.raises(services.NotAllowed):
        grant(giver, BILLING, cast.acme, by=giver)
    grant(giver, BILLING, cast.acme, by=cast.dana)
    with pytest.raises(services.NotAllowed):
        revoke(giver, BILLING, cast.acme, by=giver)
    grant(cast.dana, BILLING, cast.acme, by=cast.dana)


def test_staff_do_not_grant_beyond_their_own_scope(cast: Cast) -> None:
    other, colleague = OrganizationFactory.create(), make_developer()
    giver = make_developer("orgs.add_grant")
    grant(giver, VIEW, cast.acme, by=cast.dana)
    grant(colleague, VIEW, cast.acme, by=giver)
    with pytest.raises(services.NotAllowed) as refusal:
        grant(colleague, VIEW, other, by=giver)
    assert refusal.value.permission == VIEW


def test_a_developers_grant_never_passes_the_tiers_ceiling(cast: Cast) -> None:
    helper = make_developer()
    for permission in (BILLING, ACTIVITY):
        grant(helper, permission, cast.acme, by=cast.dana)
    assert ask(helper, BILLING, cast.acme) == Verdict(True, Leg.GRANT)
    assert ask(helper, ACTIVITY, cast.acme) == Verdict(False, Leg.TIER, "free")
    on_tier(cast.acme, "pro")
    assert ask(helper, ACTIVITY, cast.acme) == Verdict(True, Leg.GRANT)
    lock(cast.acme)
    assert ask(helper, ACTIVITY, cast.acme) == Verdict(False, Leg.TIER, "free")
    assert ask(helper, BILLING, OrganizationFactory.create()) == Verdict(False, Leg.NO_ROLE)


def test_a_developer_role_counts_before_a_grant_and_passes_the_ceiling(cast: Cast) -> None:
    helper = make_developer()
    grant(helper, ACTIVITY, cast.acme, by=cast.dana)
    support = Role.objects.get(key="support")
    services.assign_role(user=helper, role=support, by=cast.dana, now=timezone.now())
    assert ask(helper, ACTIVITY, cast.acme) == Verdict(True, Leg.DEVELOPER, "support")


def test_djangos_permissions_give_staff_what_is_no_feature(cast: Cast) -> None:
    helper = make_developer(VIEW, BILLING)
    assert ask(helper, VIEW, cast.acme) == Verdict(True, Leg.DEVELOPER)
    assert ask(helper, CHANGE, cast.acme) == Verdict(False, Leg.NO_ROLE)
    assert ask(helper, BILLING, cast.acme) == Verdict(False, Leg.NO_ROLE)
    grant(helper, CHANGE, cast.acme, by=cast.dana)
    assert ask(helper, CHANGE, cast.acme) == Verdict(True, Leg.GRANT)


def test_djangos_default_permissions_are_not_for_members(cast: Cast) -> None:
    for permission in (VIEW, CHANGE, "orgs.delete_organization"):
        assign_perm(permission, cast.bob, cast.acme)
        allow(cast.alice, permission)
        assert ask(cast.bob, permission, cast.acme) == Verdict(False, Leg.TIER, "free")
        assert ask(cast.alice, permission, cast.acme) == Verdict(False, Leg.TIER, "free")
    assert not seen_by(cast.bob).exists()


@pytest.mark.parametrize("permission", [BILLING, ACTIVITY, VIEW])
def test_grants_cost_one_statement_at_most_and_later_answers_none(
    cast: Cast, permission: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    helper = make_developer()
    grant(helper, permission, cast.acme, by=cast.dana)
    organization = Organization.objects.select_related("tier").get(pk=cast.acme.pk)
    with django_assert_num_queries(1):
        explain(helper, permission, organization, timezone.now())
    with django_assert_num_queries(0):
        helper.has_perm(permission, organization)
        explain(helper, ASSIGN, organization, timezone.now())


def by_user_permission(person: User, _organization: Organization) -> None:
    allow(person, VIEW)


def by_group(person: User, _organization: Organization) -> None:
    group = Group.objects.create(name="Sees all")
    group.permissions.add(Permission.objects.get(codename="view_organization"))
    person.groups.add(group)


def by_grant(person: User, organization: Organization) -> None:
    assign_perm(VIEW, person, organization)


def by_role(person: User, _organization: Organization) -> None:
    role = Role.objects.create(key="looker", name="Looker", kind="developer")
    role.permissions.add(Permission.objects.get(codename="view_organization"))
    superuser = make_developer(is_superuser=True)
    services.assign_role(user=person, role=role, by=superuser, now=timezone.now())


def by_nothing(person: User, organization: Organization) -> None:
    assign_perm(CHANGE, person, organization)
    allow(person, CHANGE, BILLING)


@pytest.mark.parametrize(
    ("give", "how_many"),
    [(by_user_permission, 3), (by_group, 3), (by_grant, 1), (by_role, 3), (by_nothing, 0)],
)
@pytest.mark.parametrize("is_present", [True, False])
def test_what_staff_see_is_the_one_answer_for_every_organization(
    cast: Cast, give: Callable[[User, Organization], None], how_many: int, is_present: bool
) -> None:
    OrganizationFactory.create_batch(2)
    helper = make_developer()
    give(helper, cast.acme)
    User.objects.filter(pk=helper.pk).update(is_active=is_present)
    helper = User.objects.get(pk=helper.pk)
    seen = set(seen_by(helper))
    assert len(seen) == (how_many if is_present else 0)
    assert seen == {each for each in Organization.objects.all() if ask(helper, VIEW, each).allowed}


def test_guardians_anonymous_user_is_not_among_the_people(db: None) -> None:
    emit_post_migrate_signal(verbosity=0, interactive=False, db="default")
    assert not User.objects.exists()
    cast = make_cast()
    assert set(User.objects.all()) == {cast.alice, cast.bob, cast.charlie, cast.dana}
    assert not AnonymousUser().has_perm(BILLING, cast.acme)
