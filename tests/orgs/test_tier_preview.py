"""What the preview of a change says: who would lose what, and who gains."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from django.utils import timezone
from guardian.shortcuts import assign_perm
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from orgs import services
from orgs.models import Role
from orgs.permissions import Leg, Verdict
from orgs.tier_facts import TierChange, TierFacts, facts_of
from orgs.tier_preview import NAMED, Feature, Preview, preview_change
from tests.cast import Cast, OrganizationFactory, add_member, lock
from tests.orgs.tiers import ACTIVITY, all_but, ask, change, give, put_on, some, tier, values_of

pytestmark = pytest.mark.django_db


def preview(key: str = "pro", **changes: Any) -> Preview:
    after = TierFacts.of(**values_of(key, **changes))
    return preview_change(tier(key), TierChange(facts_of(tier(key)), after))


def people_by_feature(features_: Iterable[Feature]) -> dict[str, int]:
    return {each.name: each.people for each in features_}


def test_the_preview_counts_owner_role_and_grant_once_each_and_nobody_else(cast: Cast) -> None:
    put_on(cast.acme)
    with_role, with_grant, with_both, without = (add_member(cast.acme) for _ in range(4))
    give(with_role, "member", cast.alice)
    assign_perm(ACTIVITY, with_grant, cast.acme)
    give(with_both, "member", cast.alice)
    give(with_both, "admin", cast.alice)
    assign_perm(ACTIVITY, with_both, cast.acme)
    give(without, "billing_viewer", cast.alice)

    shown = preview(entitlements=all_but("view_activity", "invite_members"))

    losers = [
        each for each in User.objects.all() if each.organization and ask(each, ACTIVITY).allowed
    ]
    assert set(losers) == {cast.alice, with_role, with_grant, with_both}
    assert people_by_feature(shown.taken) == {"Invite people": 2, "See the activity log": 4}
    assert (shown.organizations, shown.first) == (1, [cast.acme])


def test_the_preview_leaves_out_whoever_has_nothing_to_lose(cast: Cast) -> None:
    put_on(cast.acme)
    elsewhere = OrganizationFactory.create()
    put_on(elsewhere, "business")
    deactivated, deleted, revoked = (add_member(cast.acme) for _ in range(3))
    for person in (deactivated, deleted, revoked):
        give(person, "member", cast.alice)
    assign_perm(ACTIVITY, deactivated, cast.acme)
    # A grant in an organization that is not theirs gives nothing.
    assign_perm(ACTIVITY, elsewhere.owner, cast.acme)
    assign_perm(ACTIVITY, cast.bob, elsewhere)
    # Has no tier, and so the free one.
    OrganizationFactory.create()
    assign_perm(ACTIVITY, cast.charlie, cast.acme)
    User.objects.filter(pk=deactivated.pk).update(is_active=False)
    services.soft_delete(user=deleted, by=cast.dana, reason="Left.")
    member = Role.objects.get(key="member", organization=None)
    services.revoke_role(user=revoked, role=member, by=cast.alice, now=timezone.now())

    shown = preview(entitlements=all_but("view_activity"))

    assert people_by_feature(shown.taken) == {"See the activity log": 1}
    assert shown.organizations == 1


def test_an_organizations_own_role_counts_in_it(cast: Cast) -> None:
    put_on(cast.acme, "business")
    cast.acme.refresh_from_db()
    own = services.create_role(
        organization=cast.acme,
        name="Reader",
        permissions=some("view_activity"),
        by=cast.alice,
        now=timezone.now(),
    )
    services.assign_role(user=cast.bob, role=own, by=cast.alice, now=timezone.now())
    shown = preview("business", entitlements=all_but("view_activity", key="business"))
    assert people_by_feature(shown.taken) == {"See the activity log": 2}


def test_the_free_tier_is_also_of_those_who_have_none(cast: Cast) -> None:
    explicitly = OrganizationFactory.create(name="Free")
    put_on(explicitly, "free")
    paying = OrganizationFactory.create(name="Paying")
    put_on(paying)
    lock(paying)
    shown = preview("free", entitlements=all_but("view_billing", key="free"))
    assert shown.is_free
    assert (shown.organizations, shown.first) == (2, [cast.acme, explicitly])
    assert people_by_feature(shown.taken) == {"See plan and invoices": 2}
    # Not counted, and told in words: whoever is locked falls to the free tier.
    assert ask(paying.owner, "orgs.view_billing").allowed
    change(cast.dana, "free", entitlements=all_but("view_billing", key="free"))
    assert ask(paying.owner, "orgs.view_billing") == Verdict(False, Leg.LOCKED, "free")


def test_a_locked_organization_still_has_its_tier(cast: Cast) -> None:
    put_on(cast.acme)
    lock(cast.acme)
    assert preview(entitlements=all_but("view_activity")).organizations == 1
    assert preview("free", entitlements=[]).organizations == 0


def test_fewer_seats_name_those_with_more_people_the_largest_first(cast: Cast) -> None:
    small = OrganizationFactory.create(name="Small")
    large = OrganizationFactory.create(name="Large")
    add_member(small)
    deleted, deactivated = add_member(small), add_member(large)
    add_member(large)
    put_on(small)
    put_on(large)
    put_on(cast.acme)
    services.soft_delete(user=deleted, by=cast.dana, reason="Left.")
    # Deactivated people keep their seats.
    User.objects.filter(pk=deactivated.pk).update(is_active=False)
    for limit, expected in ((1, {"Large": 3, "Acme": 2, "Small": 2}), (2, {"Large": 3}), (3, {})):
        crowd = preview(seat_limit=limit).crowd
        assert crowd is not None
        counts = {each.name: each.member_count for each in crowd.first}  # type: ignore[attr-defined]
        assert list(counts.items()) == list(expected.items())
        assert crowd.organizations == len(expected)


@pytest.mark.parametrize(
    ("before", "after", "lowers", "raises"),
    [
        (None, 5, True, False),
        (5, 4, True, False),
        (1, 0, True, False),
        (5, 5, False, False),
        (None, None, False, False),
        (4, 5, False, True),
        (5, None, False, True),
        (0, None, False, True),
    ],
)
def test_no_limit_is_the_highest(
    before: int | None, after: int | None, lowers: bool, raises: bool
) -> None:
    made = TierChange(*(TierFacts("Pro", 1, True, each, ()) for each in (before, after)))
    assert (made.lowers_limit, made.raises_limit) == (lowers, raises)
    assert (made.takes_something, made.gives_something) == (lowers, raises)


def test_who_gains_is_counted_too(cast: Cast) -> None:
    put_on(cast.acme)
    give(cast.bob, "admin", cast.alice)
    shown = preview(entitlements=[*all_but("view_activity"), *some("create_roles")])
    assert people_by_feature(shown.given) == {"Make roles of its own": 2}


def test_the_preview_costs_the_same_for_many_and_names_the_first(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    put_on(cast.acme)
    after = TierFacts("Pro", 10, False, 1, ("create_roles",))
    made = TierChange(facts_of(tier()), after)
    row = tier()
    assert (len(made.taken), len(made.given)) == (6, 1)
    with django_assert_num_queries(2 + 7 + 2):
        preview_change(row, made)
    for number in range(NAMED + 2):
        organization = OrganizationFactory.create(name=f"Team {number:02}")
        add_member(organization)
        put_on(organization)
    with django_assert_num_queries(2 + 7 + 2):
        shown = preview_change(row, made)
    assert shown.organizations == NAMED + 3
    assert [each.name for each in shown.first] == [
        "Acme",
        *(f"Team {number:02}" for number in range(NAMED - 1)),
    ]
    assert shown.crowd is not None
    assert (shown.crowd.organizations, len(shown.crowd.first)) == (NAMED + 3, NAMED)
