"""One question, one answer, and its reason."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from asgiref.sync import async_to_sync
from django.contrib.auth.models import Permission
from django.utils import timezone
from guardian.shortcuts import assign_perm
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from orgs import services
from orgs.models import Grant, Organization, Role, Tier, UserRoleAssignment
from orgs.permissions import Leg, Verdict, explain
from tests.cast import Cast, OrganizationFactory, PersonFactory, add_member, lock

pytestmark = pytest.mark.django_db

INVITE, ACTIVITY, ROLES = "orgs.invite_members", "orgs.view_activity", "orgs.create_roles"


def on_tier(organization: Organization, key: str) -> None:
    Organization.objects.filter(pk=organization.pk).update(tier=Tier.objects.get(key=key))


def fresh(person: User) -> User:
    """This person as a new request loads them."""
    return User.objects.get_queryset().with_access().get(pk=person.pk)


def ask(person: User, permission: str, organization: Organization) -> Verdict:
    organization = Organization.objects.select_related("tier").get(pk=organization.pk)
    return explain(fresh(person), permission, organization, timezone.now())


def give(person: User, key: str, by: User) -> None:
    role = Role.objects.get(key=key, organization=None)
    services.assign_role(user=person, role=role, by=by, now=timezone.now())


def test_the_owner_holds_what_the_tier_entitles_and_no_more(cast: Cast) -> None:
    assert ask(cast.alice, INVITE, cast.acme) == Verdict(True, Leg.OWNER)
    assert ask(cast.alice, ROLES, cast.acme) == Verdict(False, Leg.TIER, "free")
    on_tier(cast.acme, "business")
    assert ask(cast.alice, ROLES, cast.acme) == Verdict(True, Leg.OWNER)


def test_a_role_gives_under_the_tiers_ceiling(cast: Cast) -> None:
    assert ask(cast.bob, INVITE, cast.acme) == Verdict(False, Leg.NO_ROLE)
    give(cast.bob, "admin", cast.alice)
    assert ask(cast.bob, INVITE, cast.acme) == Verdict(True, Leg.ROLE, "admin")
    assert ask(cast.bob, ACTIVITY, cast.acme) == Verdict(False, Leg.TIER, "free")
    on_tier(cast.acme, "pro")
    assert ask(cast.bob, ACTIVITY, cast.acme) == Verdict(True, Leg.ROLE, "admin")


def test_a_direct_grant_gives_under_the_tiers_ceiling_too(cast: Cast) -> None:
    assign_perm(INVITE, cast.bob, cast.acme)
    assign_perm(ROLES, cast.bob, cast.acme)
    assert ask(cast.bob, INVITE, cast.acme) == Verdict(True, Leg.GRANT)
    assert ask(cast.bob, ROLES, cast.acme) == Verdict(False, Leg.TIER, "free")


def test_neither_what_ended_nor_what_is_others_or_given_elsewhere_counts(cast: Cast) -> None:
    give(cast.bob, "admin", cast.alice)
    admin = Role.objects.get(key="admin")
    services.revoke_role(user=cast.bob, role=admin, by=cast.alice, now=timezone.now())
    colleague = add_member(cast.acme)
    give(colleague, "admin", cast.alice)
    assign_perm(INVITE, colleague, cast.acme)
    assign_perm(INVITE, cast.bob, OrganizationFactory.create())
    assert ask(cast.bob, INVITE, cast.acme) == Verdict(False, Leg.NO_ROLE)
    assert ask(colleague, INVITE, cast.acme) == Verdict(True, Leg.ROLE, "admin")


def test_outsiders_hold_nothing_whatever_they_were_granted(cast: Cast) -> None:
    assign_perm(INVITE, cast.charlie, cast.acme)
    assert ask(cast.charlie, INVITE, cast.acme) == Verdict(False, Leg.NOT_A_MEMBER)
    other = OrganizationFactory.create()
    assert ask(other.owner, INVITE, cast.acme) == Verdict(False, Leg.NOT_A_MEMBER)


def test_a_lock_takes_a_members_roles_and_brings_the_owner_down_to_free(cast: Cast) -> None:
    give(cast.bob, "admin", cast.alice)
    on_tier(cast.acme, "business")
    lock(cast.acme)
    assert ask(cast.bob, INVITE, cast.acme) == Verdict(False, Leg.LOCKED)
    assert ask(cast.alice, INVITE, cast.acme) == Verdict(True, Leg.OWNER)
    assert ask(cast.alice, ROLES, cast.acme) == Verdict(False, Leg.LOCKED, "free")


def test_a_lock_that_lies_ahead_takes_nothing_yet(cast: Cast) -> None:
    ahead = timezone.now() + timedelta(hours=1)
    Organization.objects.filter(pk=cast.acme.pk).update(locked_from=ahead)
    organization = Organization.objects.get(pk=cast.acme.pk)
    assert explain(fresh(cast.alice), INVITE, organization, timezone.now()).allowed
    give(cast.bob, "admin", cast.alice)
    assert explain(fresh(cast.bob), INVITE, organization, ahead).leg is Leg.LOCKED


def test_a_closed_organization_and_an_inactive_person_say_so(cast: Cast) -> None:
    Organization.objects.filter(pk=cast.acme.pk).update(closed_at=timezone.now())
    assert ask(cast.alice, INVITE, cast.acme) == Verdict(False, Leg.CLOSED)
    User.objects.filter(pk=cast.bob.pk).update(is_active=False)
    assert ask(cast.bob, INVITE, cast.acme) == Verdict(False, Leg.INACTIVE)


def test_developers_answer_by_their_roles_whatever_the_tier_or_lock(cast: Cast) -> None:
    lock(cast.acme)
    assert ask(cast.dana, ROLES, cast.acme) == Verdict(True, Leg.DEVELOPER)
    helper = PersonFactory.create(user_type="developer")
    assert ask(helper, ACTIVITY, cast.acme) == Verdict(False, Leg.NO_ROLE)
    give(helper, "support", cast.dana)
    assert ask(helper, ACTIVITY, cast.acme) == Verdict(True, Leg.DEVELOPER, "support")
    assert ask(helper, ROLES, cast.acme) == Verdict(False, Leg.NO_ROLE)


def test_djangos_own_question_gets_the_same_answer(cast: Cast) -> None:
    give(cast.bob, "admin", cast.alice)
    assert fresh(cast.bob).has_perm(INVITE, cast.acme)
    assert not fresh(cast.bob).has_perm(ROLES, cast.acme)
    assert not fresh(cast.bob).has_perm(INVITE)
    assert not fresh(cast.charlie).has_perm(INVITE, cast.acme)
    assert async_to_sync(fresh(cast.bob).ahas_perm)(INVITE, cast.acme)
    assert not async_to_sync(fresh(cast.bob).ahas_perm)(ROLES, cast.acme)


def test_djangos_own_question_sees_a_lock_begin_by_the_clock(cast: Cast) -> None:
    give(cast.bob, "admin", cast.alice)
    noon = timezone.now()
    Organization.objects.filter(pk=cast.acme.pk).update(locked_from=noon + timedelta(hours=1))
    organization, bob = Organization.objects.get(pk=cast.acme.pk), fresh(cast.bob)
    with time_machine.travel(noon, tick=False) as clock:
        assert bob.has_perm(INVITE, organization)
        clock.shift(timedelta(hours=1))
        assert not bob.has_perm(INVITE, organization)


def test_a_members_superuser_flag_is_no_answer(cast: Cast) -> None:
    User.objects.filter(pk=cast.bob.pk).update(is_superuser=True)
    assert not fresh(cast.bob).has_perm(INVITE, cast.acme)


@pytest.mark.parametrize("who", ["alice", "bob", "dana"])
def test_the_first_answer_costs_one_statement_at_most_and_later_ones_none(
    cast: Cast, who: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    give(cast.bob, "admin", cast.alice)
    person = fresh(getattr(cast, who))
    organization = Organization.objects.select_related("tier").get(pk=cast.acme.pk)
    with django_assert_max_num_queries(1):
        for permission in (INVITE, ACTIVITY, ROLES):
            explain(person, permission, organization, timezone.now())
    with django_assert_max_num_queries(0):
        person.has_perm(INVITE, organization)


NAMES = ["invite_members", "view_activity", "create_roles", "export_activity"]
ASSIGN = "assign_roles"
SOME = st.sets(st.sampled_from(NAMES))


def test_a_hundred_roles_cost_one_statement_too_and_the_first_is_the_reason(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    on_tier(cast.acme, "business")
    for number in range(100):
        own = cast.acme if number % 2 else None
        role = Role.objects.create(key=f"r{number:02}", name="R", organization=own)
        role.permissions.set(Permission.objects.filter(codename__in=NAMES))
        services.assign_role(user=cast.bob, role=role, by=cast.alice, now=timezone.now())
    bob = fresh(cast.bob)
    assert bob.organization is not None
    with django_assert_num_queries(1):
        answers = [explain(bob, f"orgs.{name}", bob.organization, timezone.now()) for name in NAMES]
    assert answers == [Verdict(True, Leg.ROLE, "r00")] * len(NAMES)


# Each example writes all that it reads, so that nothing is left over from the one before.
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    in_roles=st.lists(SOME, max_size=2),
    revoked=SOME,
    granted=SOME,
    entitled=SOME,
    entitled_free=SOME,
    is_locked=st.booleans(),
    is_owner=st.booleans(),
)
def test_the_answer_is_the_rules(
    cast: Cast,
    in_roles: list[set[str]],
    revoked: set[str],
    granted: set[str],
    entitled: set[str],
    entitled_free: set[str],
    is_locked: bool,
    is_owner: bool,
) -> None:
    """The rule once more, in a few lines: a role or a grant gives it, and the tier entitles it."""
    Organization.objects.update(tier=None, locked_from=None)
    Tier.objects.get(key="free").entitlements.set(Permission.objects.filter(codename=ASSIGN))
    person = cast.alice if is_owner else cast.bob
    UserRoleAssignment.objects.all().delete()
    Grant.objects.all().delete()
    Role.objects.filter(organization=cast.acme).delete()
    for number, names in enumerate([*in_roles, revoked]):
        role = Role.objects.create(key=f"r{number}", name="R", organization=cast.acme)
        role.permissions.set(Permission.objects.filter(codename__in=names))
        services.assign_role(user=person, role=role, by=cast.alice, now=timezone.now())
    services.revoke_role(user=person, role=role, by=cast.alice, now=timezone.now())
    for name in granted:
        assign_perm(f"orgs.{name}", person, cast.acme)
    for key, names in (("free", entitled_free), ("pro", entitled)):
        tier = Tier.objects.get(key=key)
        tier.entitlements.set(Permission.objects.filter(codename__in=names))
    on_tier(cast.acme, "pro")
    Organization.objects.update(locked_from=timezone.now() if is_locked else None)

    given_here = set().union(*in_roles) | granted
    ceiling = entitled_free if is_locked else entitled
    for name in NAMES:
        expected = name in ceiling and (is_owner or (name in given_here and not is_locked))
        assert ask(person, f"orgs.{name}", cast.acme).allowed is expected, name
