"""Tiers as data: who may change them, what is written, and that a retired one keeps serving."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User, UserEventLog
from orgs import services
from orgs.models import Organization, Tier
from orgs.permissions import Leg, Verdict
from orgs.tier_facts import TierFacts, facts_of
from tests.cast import Cast, PersonFactory
from tests.orgs.tiers import ACTIVITY, all_but, ask, change, give, put_on, some, tier, values_of

pytestmark = pytest.mark.django_db


def log() -> list[tuple[str, Any]]:
    return list(UserEventLog.objects.filter(event__startswith="tier_").values_list("event", "data"))


def staff(*codenames: str, **fields: Any) -> User:
    person: User = PersonFactory.create(**{"user_type": "developer", "is_staff": True, **fields})
    person.user_permissions.add(
        *Permission.objects.filter(content_type__app_label="orgs", codename__in=codenames)
    )
    return person


def test_a_change_is_written_and_told_with_before_and_after(cast: Cast) -> None:
    Tier.objects.filter(key="pro").update(seat_limit=20)
    before = facts_of(tier())
    change(cast.dana, seat_limit=10, entitlements=all_but("view_activity"))
    after = facts_of(tier())
    assert after.seat_limit == 10
    assert set(before.entitlements) - set(after.entitlements) == {"view_activity"}
    line = UserEventLog.objects.get(event="tier_changed")
    assert line.actor == cast.dana
    assert (line.data["tier"], line.data["key"]) == (tier().pk, "pro")
    assert line.data["before"] == before.data | {"entitlements": list(before.entitlements)}
    assert line.data["after"] == after.data | {"entitlements": list(after.entitlements)}


def test_only_what_changed_is_written(cast: Cast) -> None:
    with CaptureQueriesContext(connection) as made:
        change(cast.dana, name="Professional")
    updates = [each["sql"] for each in made if each["sql"].startswith("UPDATE")]
    (update,) = updates
    assert "name" in update
    assert "rank" not in update


def test_a_change_of_nothing_leaves_no_line(cast: Cast) -> None:
    change(cast.dana)
    assert log() == []


def test_a_tier_is_made_and_told(cast: Cast) -> None:
    made = services.create_tier(
        key="team",
        by=cast.dana,
        name="Team",
        rank=15,
        is_offered=False,
        seat_limit=None,
        entitlements=some("view_activity", "invite_members"),
    )
    facts = TierFacts("Team", 15, False, None, ("invite_members", "view_activity"))
    assert facts_of(tier("team")) == facts
    told = facts.data | {"entitlements": ["invite_members", "view_activity"]}
    assert log() == [
        ("tier_created", {"tier": made.pk, "key": "team", "before": None, "after": told})
    ]


@pytest.mark.parametrize(
    "fields",
    [{"is_staff": False}, {"is_active": False}],
    ids=["no staff", "inactive"],
)
def test_whoever_is_not_present_staff_changes_nothing(cast: Cast, fields: dict[str, Any]) -> None:
    person = staff("change_tier", "add_tier")
    change(person, name="Once")
    User.objects.filter(pk=person.pk).update(**fields)
    # The service is given the person as they were.
    with pytest.raises(services.NotAllowed):
        change(person, name="Twice")
    with pytest.raises(services.NotAllowed):
        services.create_tier(key="team", by=person, **values_of())
    assert tier().name == "Once"


def test_each_permission_is_for_its_own(cast: Cast) -> None:
    with pytest.raises(services.NotAllowed):
        change(staff("add_tier", "view_tier"), name="Other")
    with pytest.raises(services.NotAllowed):
        services.create_tier(key="team", by=staff("change_tier"), **values_of())
    for member in (cast.alice, cast.bob):
        with pytest.raises(services.NotAllowed):
            change(member, name="Other")
    assert log() == []


@pytest.mark.parametrize("name", ["change_tier", "add_organization"])
def test_a_tier_entitles_to_features_alone(cast: Cast, name: str) -> None:
    stranger = Permission.objects.get(codename=name)
    with pytest.raises(services.NotAFeature, match=f"features of organizations only.*{name}"):
        change(cast.dana, entitlements=[*some("view_activity"), stranger])
    with pytest.raises(services.NotAFeature):
        services.create_tier(key="team", by=cast.dana, **values_of(entitlements=[stranger]))
    assert log() == []


@pytest.mark.parametrize("wrong", [{"name": " "}, {"rank": -1}, {"seat_limit": -1}])
def test_a_bad_value_is_refused(cast: Cast, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        change(cast.dana, **wrong)
    with pytest.raises(ValidationError):
        services.create_tier(key="team", by=cast.dana, **values_of(**wrong))
    assert log() == []


@pytest.mark.parametrize("key", ["", "free", "not a key"])
def test_a_bad_key_or_one_that_is_taken_is_refused(cast: Cast, key: str) -> None:
    with pytest.raises(ValidationError):
        services.create_tier(key=key, by=cast.dana, **values_of())


def test_who_saw_another_tier_is_told_and_nothing_is_written(cast: Cast) -> None:
    seen = facts_of(tier())
    change(cast.dana, rank=11)
    with pytest.raises(services.TierChanged):
        services.change_tier(tier=tier(), by=cast.dana, seen=seen, **values_of(name="Professional"))
    assert tier().name == "Pro"


def test_without_its_line_nothing_is_written(cast: Cast) -> None:
    def no_line(execute: Any, sql: str, *args: Any) -> Any:
        if sql.startswith('INSERT INTO "accounts_usereventlog"'):
            raise DatabaseError
        return execute(sql, *args)

    before = facts_of(tier())
    with connection.execute_wrapper(no_line), pytest.raises(DatabaseError):
        change(cast.dana, name="Professional", entitlements=[])
    assert facts_of(tier()) == before


def test_a_retired_tier_keeps_serving_those_who_have_it(cast: Cast) -> None:
    put_on(cast.acme)
    give(cast.bob, "member", cast.alice)
    change(cast.dana, is_offered=False)
    assert not Tier.objects.offered().filter(key="pro").exists()
    assert ask(cast.alice, ACTIVITY) == Verdict(True, Leg.OWNER)
    assert ask(cast.bob, ACTIVITY) == Verdict(True, Leg.ROLE, "member")
    assert Organization.objects.get(pk=cast.acme.pk).tier_at(timezone.now()) == tier()
