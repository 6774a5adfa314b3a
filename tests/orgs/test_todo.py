"""What the home page says is to be done."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from orgs import services
from orgs.models import Invitation
from orgs.seats import Seats
from orgs.todo import Known, todo_of
from tests.cast import Cast, signed_in

NOTHING = Known(
    is_owner=True,
    may_invite=True,
    owner="Alice Adams",
    seats=Seats(taken=2, limit=3),
    has_second_factor=True,
    expired_invitations=0,
    handing_to=None,
)


def test_nothing_is_to_be_done() -> None:
    assert todo_of(NOTHING) == []


@pytest.mark.parametrize(
    ("known", "text", "page"),
    [
        (replace(NOTHING, seats=Seats(1, 3)), "It is only you so far.", "orgs:team"),
        (replace(NOTHING, seats=Seats(3, 3)), "All 3 seats are taken", "billing:overview"),
        (
            replace(NOTHING, seats=Seats(3, 3), is_owner=False),
            "Ask Alice Adams for a plan with more.",
            "orgs:team",
        ),
        (replace(NOTHING, seats=Seats(1, 1)), "The only seat is taken", "billing:overview"),
        (replace(NOTHING, has_second_factor=False), "Only your password", "mfa_index"),
        (replace(NOTHING, expired_invitations=1), "1 invitation has expired.", "orgs:team"),
        (replace(NOTHING, expired_invitations=2), "2 invitations have expired.", "orgs:team"),
        (replace(NOTHING, handing_to="Bob"), "to Bob. Our staff", "orgs:request_transfer"),
    ],
)
def test_each_fact_leads_to_the_page_where_it_is_done(known: Known, text: str, page: str) -> None:
    (todo,) = todo_of(known)
    assert text in todo.text
    assert todo.page == page


def test_who_may_not_invite_is_not_told_of_seats_and_invitations() -> None:
    member = replace(
        NOTHING, is_owner=False, may_invite=False, seats=Seats(3, 3), expired_invitations=2
    )
    assert todo_of(member) == []


def test_the_home_page_tells_what_waits(cast: Cast) -> None:
    now = timezone.now()
    services.invite(organization=cast.acme, email="eve@example.com", by=cast.alice, now=now)
    Invitation.objects.update(expires_at=now - timedelta(days=1))
    services.request_ownership_transfer(
        organization=cast.acme, new_owner=cast.bob, by=cast.alice, reason="I leave.", now=now
    )
    told = signed_in(cast.alice).get(reverse("home")).content.decode()
    assert "1 invitation has expired." in told
    assert f"You asked to hand the organization to {cast.bob.get_full_name()}." in told
    assert "Set up a second factor" in told
    assert "has expired" not in signed_in(cast.bob).get(reverse("home")).content.decode()
