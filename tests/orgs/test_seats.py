"""Seats: how many may come in, and who is told what when there is none left."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from orgs import emails, services
from orgs.models import Invitation, Organization, Role, Tier
from tests.cast import PASSWORD, Cast, PersonFactory, add_member, lock, make_cast, signed_in
from tests.together import together

EVE = "eve@example.com"


def offer(cast: Cast, email: str = EVE) -> Invitation:
    return services.invite(organization=cast.acme, email=email, by=cast.alice, now=timezone.now())


def link(invitation: Invitation) -> str:
    return reverse("orgs:invitation", args=[emails.invitation_token(invitation)])


def seats(number: int | None) -> None:
    Tier.objects.filter(key="free").update(seat_limit=number)


@pytest.mark.django_db
def test_the_last_seat_is_taken_once(cast: Cast) -> None:
    first, second = offer(cast), offer(cast, cast.charlie.email)
    seats(3)
    client = Client()
    assert client.post(link(first), {"name": "Eve", "password": PASSWORD}).status_code == 302
    page = signed_in(cast.charlie).post(link(second))
    assert page.status_code == 409
    assert "All seats of Acme are taken." in page.content.decode()
    assert "Alice Adams, who invited you" in page.content.decode()
    cast.charlie.refresh_from_db()
    assert cast.charlie.organization is None
    # Once there is room, the same link is good.
    seats(4)
    assert signed_in(cast.charlie).post(link(second)).status_code == 302


@pytest.mark.django_db
def test_nobody_is_invited_without_a_seat_and_the_owner_is_told_what_would_help(
    cast: Cast,
) -> None:
    seats(2)
    client = signed_in(cast.alice)
    page = client.post(reverse("orgs:invite"), {"email": EVE})
    assert page.status_code == 422
    assert "All 2 seats are taken. Change your plan to have more." in page.content.decode()
    assert not Invitation.objects.filter(email=EVE).exists()
    assert reverse("billing:overview") in client.get(reverse("orgs:team")).content.decode()


@pytest.mark.django_db
def test_an_admin_without_a_seat_left_is_told_whom_to_ask(cast: Cast) -> None:
    invitation = offer(cast)
    admin = Role.objects.get(key="admin", organization=None)
    services.assign_role(user=cast.bob, role=admin, by=cast.alice, now=timezone.now())
    seats(2)
    client = signed_in(cast.bob)
    for answer in (
        client.post(reverse("orgs:invite"), {"email": "someone@example.com"}),
        client.post(reverse("orgs:resend_invitation", args=[invitation.pk]), follow=True),
    ):
        assert "Ask Alice Adams for a plan with more." in answer.content.decode()


@pytest.mark.django_db
def test_a_downgrade_removes_nobody_and_lets_nobody_new_in(cast: Cast) -> None:
    Organization.objects.update(tier=Tier.objects.get(key="business"))
    for _ in range(4):
        add_member(cast.acme)
    invitation = offer(cast, cast.charlie.email)
    seats(3)
    Organization.objects.update(tier=None)
    assert cast.acme.people().count() == 6
    for person in cast.acme.people():
        assert signed_in(person).get(reverse("home")).status_code == 200
    assert "6 of 3 seats" in signed_in(cast.alice).get(reverse("orgs:team")).content.decode()
    with pytest.raises(services.NoSeatLeft):
        services.accept_invitation(invitation=invitation, person=cast.charlie, now=timezone.now())


@pytest.mark.django_db
def test_a_locked_organization_takes_nobody_in_for_now(cast: Cast) -> None:
    invitation = offer(cast, cast.charlie.email)
    lock(cast.acme)
    page = signed_in(cast.charlie).get(link(invitation))
    assert page.status_code == 409
    assert "Acme cannot take in anybody at the moment." in page.content.decode()
    with pytest.raises(services.OrganizationLocked):
        services.accept_invitation(invitation=invitation, person=cast.charlie, now=timezone.now())


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_ten_who_accept_the_last_seat_at_once_one_is_in() -> None:
    cast = make_cast()
    people = [PersonFactory.create() for _ in range(10)]
    offers = [offer(cast, person.email) for person in people]
    seats(3)

    def accept(number: int) -> None:
        services.accept_invitation(
            invitation=offers[number], person=people[number], now=timezone.now()
        )

    results = together(*[lambda number=number: accept(number) for number in range(10)])
    refused = [each for each in results if isinstance(each, services.NoSeatLeft)]
    assert (results.count(None), len(refused)) == (1, 9)
    assert cast.acme.people().count() == 3
    assert (
        User.objects.filter(pk__in=[each.pk for each in people]).exclude(organization=None).count()
        == 1
    )


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_joining_and_being_restored_at_once_one_has_the_last_seat() -> None:
    cast = make_cast()
    services.soft_delete(user=cast.bob, by=cast.dana, reason="Gone.")
    invitation = offer(cast, cast.charlie.email)
    seats(2)
    results = together(
        lambda: services.accept_invitation(
            invitation=invitation, person=cast.charlie, now=timezone.now()
        ),
        lambda: services.restore(user=cast.bob, by=cast.dana),
    )
    assert sum(isinstance(each, services.NoSeatLeft) for each in results) == 1
    assert cast.acme.people().count() == 2
