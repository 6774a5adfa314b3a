"""What happens at the same moment, on connections of their own."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import User, UserEventLog
from accounts.services import AddressTaken
from orgs import services
from orgs.models import Invitation, Organization, OwnershipTransferRequest, Tier
from orgs.tier_facts import facts_of
from tests.cast import PASSWORD, PersonFactory, make_cast
from tests.together import together

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_sign_ups_with_one_address_make_one_person_and_one_organization() -> None:
    def sign_up(email: str) -> User:
        return services.sign_up(
            email=email, password=PASSWORD, name="Eve", organization_name="Eve's"
        )

    results = together(lambda: sign_up("eve@example.com"), lambda: sign_up("EVE@example.com"))
    assert {type(each) for each in results} == {AddressTaken, User}
    assert (User.objects.count(), Organization.objects.count()) == (1, 1)


def test_two_organizations_founded_by_one_person_at_once_are_one() -> None:
    person = PersonFactory.create()
    results = together(
        *[lambda: services.found_organization(name="Twice", owner=person) for _ in range(2)]
    )
    assert {type(each) for each in results} == {Organization, services.AlreadyMember}
    assert Organization.objects.get().owner == person


def test_an_invitation_accepted_twice_at_once_is_accepted_once() -> None:
    cast = make_cast()
    invitation = services.invite(
        organization=cast.acme, email=cast.charlie.email, by=cast.alice, now=timezone.now()
    )
    results = together(
        *[
            lambda: services.accept_invitation(
                invitation=invitation, person=cast.charlie, now=timezone.now()
            )
            for _ in range(2)
        ]
    )
    assert {type(each) for each in results} == {type(None), services.InvitationClosed}


def test_an_address_invited_twice_at_once_has_one_invitation() -> None:
    cast = make_cast()
    results = together(
        *[
            lambda: services.invite(
                organization=cast.acme, email="eve@example.com", by=cast.alice, now=timezone.now()
            )
            for _ in range(2)
        ]
    )
    first, second = results
    assert isinstance(first, Invitation)
    assert first == second == Invitation.objects.get(email="eve@example.com")


def test_a_transfer_asked_for_twice_at_once_waits_once() -> None:
    cast = make_cast()
    results = together(
        *[
            lambda: services.request_ownership_transfer(
                organization=cast.acme,
                new_owner=cast.bob,
                by=cast.alice,
                reason="I move on.",
                now=timezone.now(),
            )
            for _ in range(2)
        ]
    )
    assert {type(each) for each in results} == {OwnershipTransferRequest, services.RequestPending}
    assert OwnershipTransferRequest.objects.count() == 1


@pytest.mark.postgres
def test_a_deactivation_that_overlaps_the_founding_cannot_leave_an_inactive_owner() -> None:
    """Each sees a state in which its own change is allowed; only the key sees both."""
    assert connection.vendor == "postgresql"
    person = PersonFactory.create()

    def found() -> None:
        with transaction.atomic():
            organization = Organization.objects.create(name="New", slug="new", owner=person)
            User.objects.filter(pk=person.pk).update(organization=organization)

    def deactivate() -> int:
        return User.objects.filter(pk=person.pk).update(is_active=False)

    results = together(found, deactivate)
    assert any(isinstance(each, IntegrityError) for each in results)
    for organization in Organization.objects.select_related("owner"):
        assert organization.owner.is_active


def test_two_changes_of_a_tier_seen_alike_are_one() -> None:
    cast = make_cast()
    tier = Tier.objects.get(key="pro")
    seen = facts_of(tier)

    def limit_seats(seat_limit: int) -> None:
        services.change_tier(
            tier=tier,
            by=cast.dana,
            seen=seen,
            name=tier.name,
            rank=tier.rank,
            is_offered=tier.is_offered,
            seat_limit=seat_limit,
            entitlements=list(tier.entitlements.all()),
        )

    results = together(lambda: limit_seats(5), lambda: limit_seats(6))
    assert {type(each) for each in results} == {type(None), services.TierChanged}
    assert UserEventLog.objects.filter(event="tier_changed").count() == 1
