"""An organization's own roles: who makes them, what they can hold, and what goes with them."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from django.contrib.auth.models import Permission
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from accounts.models import User, UserEventLog
from orgs import services
from orgs.models import FEATURES, Organization, Role, Tier, features
from orgs.permissions import explain
from tests.cast import Cast, OrganizationFactory, add_member, signed_in

pytestmark = pytest.mark.django_db


def some(*names: str) -> list[Permission]:
    return list(features().filter(codename__in=names))


@pytest.fixture
def cast_on_business(cast: Cast) -> Cast:
    Organization.objects.update(tier=Tier.objects.get(key="business"))
    for row in (cast.acme, cast.alice.organization, cast.bob.organization):
        assert row is not None
        row.refresh_from_db()
    return cast


def make(cast: Cast, name: str, gives: Iterable[str] = (), by: User | None = None) -> Role:
    return services.create_role(
        organization=cast.acme,
        name=name,
        permissions=some(*gives),
        by=by or cast.alice,
        now=timezone.now(),
    )


def give(person: User, role: Role, by: User) -> None:
    services.assign_role(user=person, role=role, by=by, now=timezone.now())


def may(person: User, name: str) -> bool:
    person = User.objects.get_queryset().with_access().get(pk=person.pk)
    assert person.organization is not None
    return explain(person, f"orgs.{name}", person.organization, timezone.now()).allowed


def test_the_owner_makes_a_role_on_the_page_and_gives_it(cast_on_business: Cast) -> None:
    cast = cast_on_business
    client = signed_in(cast.alice)
    form = {"name": "Front desk", "gives": [each.pk for each in some("invite_members")]}
    page = client.post(reverse("orgs:create_role"), form, follow=True)
    assert "Front desk" in page.content.decode()
    role = Role.objects.get(key="front_desk")
    assert (role.organization, role.kind) == (cast.acme, "organization")
    give(cast.bob, role, cast.alice)
    assert may(cast.bob, "invite_members")
    assert UserEventLog.objects.get(event="role_created").data["permissions"] == [
        "orgs.invite_members"
    ]


def test_a_change_reaches_everybody_who_holds_it(cast_on_business: Cast) -> None:
    cast = cast_on_business
    role = make(cast, "Front desk", ["invite_members"])
    give(cast.bob, role, cast.alice)
    form = {"name": "Desk", "gives": [each.pk for each in some("view_activity")]}
    signed_in(cast.alice).post(reverse("orgs:change_role", args=[role.pk]), form)
    assert (may(cast.bob, "invite_members"), may(cast.bob, "view_activity")) == (False, True)
    role.refresh_from_db()
    assert (role.name, role.key) == ("Desk", "front_desk")


def test_with_a_role_goes_what_it_gave(cast_on_business: Cast) -> None:
    cast = cast_on_business
    role = make(cast, "Front desk", ["invite_members"])
    give(cast.bob, role, cast.alice)
    url = reverse("orgs:delete_role", args=[role.pk])
    client = signed_in(cast.alice)
    assert "1 person holds it" in client.get(url).content.decode()
    client.post(url)
    assert not may(cast.bob, "invite_members")
    assert not Role.objects.filter(pk=role.pk).exists()
    events = set(UserEventLog.objects.values_list("event", flat=True))
    assert {"role_revoked", "role_deleted"} <= events


def test_on_a_lower_tier_there_are_none_and_the_page_says_what_would_allow_them(
    cast: Cast,
) -> None:
    client = signed_in(cast.alice)
    page = client.get(reverse("orgs:roles")).content.decode()
    assert "This needs the plan Business" in page
    assert reverse("orgs:create_role") not in page
    assert client.post(reverse("orgs:create_role"), {"name": "Desk"}).status_code == 403
    theirs = signed_in(cast.bob).get(reverse("orgs:roles")).content.decode()
    assert "Your role does not include this" in theirs


def test_what_was_made_keeps_serving_after_a_downgrade_under_the_new_ceiling(
    cast_on_business: Cast,
) -> None:
    cast = cast_on_business
    give(cast.bob, make(cast, "Desk", ["invite_members", "view_activity"]), cast.alice)
    Organization.objects.update(tier=None)
    assert (may(cast.bob, "invite_members"), may(cast.bob, "view_activity")) == (True, False)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Organization owner", "Ownership is not a role."),
        ("ORGANIZATION_OWNER", "Ownership is not a role."),
        ("!!!", "A name needs a letter or a digit."),
        ("front DESK", "There is a role of this name already."),
    ],
)
def test_a_name_that_cannot_be_is_refused_in_words(
    cast_on_business: Cast, name: str, words: str
) -> None:
    cast = cast_on_business
    make(cast, "Front desk")
    with pytest.raises(ValidationError, match=words):
        make(cast, name)
    page = signed_in(cast.alice).post(reverse("orgs:create_role"), {"name": name})
    assert page.status_code == 422
    assert words in page.content.decode()


def test_nobody_puts_into_a_role_what_they_do_not_hold(cast_on_business: Cast) -> None:
    cast = cast_on_business
    give(cast.bob, make(cast, "Maker", ["create_roles", "view_billing"]), cast.alice)
    with pytest.raises(services.GivesTooMuch):
        make(cast, "More", ["export_activity"], by=cast.bob)
    page = signed_in(cast.bob).post(
        reverse("orgs:create_role"),
        {"name": "More", "gives": [each.pk for each in some("export_activity")]},
    )
    assert "A role can hold no more than your plan and your own roles do." in page.content.decode()
    mine = make(cast, "Mine", ["view_billing"], by=cast.bob)
    strong = make(cast, "Strong", ["export_activity"])
    for change in (services.delete_role, _rename):
        with pytest.raises(services.GivesTooMuch):
            change(role=strong, by=cast.bob, now=timezone.now())
    services.delete_role(role=mine, by=cast.bob, now=timezone.now())


def _rename(*, role: Role, by: User, now: object) -> None:
    services.change_role(role=role, name="Weak", permissions=(), by=by, now=timezone.now())


def test_the_owner_puts_in_what_the_tier_entitles_and_no_more(cast_on_business: Cast) -> None:
    Tier.objects.get(key="business").entitlements.remove(*some("export_activity"))
    with pytest.raises(services.GivesTooMuch):
        make(cast_on_business, "Desk", ["export_activity"])


def test_built_in_roles_and_those_of_others_are_not_changed(cast_on_business: Cast) -> None:
    cast = cast_on_business
    other = OrganizationFactory.create()
    theirs = Role.objects.create(key="theirs", name="Theirs", organization=other)
    built_in = Role.objects.get(key="admin", organization=None)
    client = signed_in(cast.alice)
    for role in (theirs, built_in):
        for page in ("orgs:change_role", "orgs:delete_role"):
            assert client.post(reverse(page, args=[role.pk]), {"name": "X"}).status_code == 404
    with pytest.raises(services.WrongKind):
        services.delete_role(role=built_in, by=cast.alice, now=timezone.now())
    with pytest.raises(services.NotAllowed):
        services.delete_role(role=theirs, by=cast.alice, now=timezone.now())


def test_every_feature_has_a_name_that_people_read(cast_on_business: Cast) -> None:
    assert {each.codename for each in features()} == set(FEATURES)
    page = signed_in(cast_on_business.alice).get(reverse("orgs:create_role")).content.decode()
    for words in FEATURES.values():
        assert str(words) in page


def test_the_page_counts_who_holds_each_role_here(cast_on_business: Cast) -> None:
    cast = cast_on_business
    admin = Role.objects.get(key="admin", organization=None)
    give(cast.bob, admin, cast.alice)
    other = OrganizationFactory.create()
    give(add_member(other), admin, other.owner)
    roles = signed_in(cast.alice).get(reverse("orgs:roles")).context["roles"]
    assert {each.key: each.holders for each in roles} == {
        "admin": 1,
        "billing_viewer": 0,
        "member": 0,
    }
