"""The organization's own page: what it is called, where its bills go, and the ways out of it."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import UserEventLog
from orgs import services
from orgs.models import Role
from tests.cast import Cast, add_member, signed_in

pytestmark = pytest.mark.django_db

PAGE = "orgs:organization"
CHANGE = "orgs:change_details"


def test_the_owner_changes_name_and_billing_address(cast: Cast) -> None:
    slug = cast.acme.slug
    answer = signed_in(cast.alice).post(
        reverse(CHANGE), {"name": "Acme Ltd", "billing_email": "bills@acme.example"}, follow=True
    )
    assert "The details are saved." in answer.content.decode()
    cast.acme.refresh_from_db()
    assert (cast.acme.name, cast.acme.email) == ("Acme Ltd", "bills@acme.example")
    assert cast.acme.slug == slug
    line = UserEventLog.objects.get(event="organization_changed")
    assert (line.actor, line.data) == (cast.alice, {"fields": ["name", "billing_email"]})


def test_bad_input_is_named_and_nothing_is_saved(cast: Cast) -> None:
    before = cast.acme.name
    answer = signed_in(cast.alice).post(reverse(CHANGE), {"name": "A", "billing_email": "nowhere"})
    text = answer.content.decode()
    assert answer.status_code == 422
    assert "Enter a valid email address." in text
    assert "at least 2 characters" in text
    # What was typed stands in the form; the page's head still names the organization.
    assert 'value="nowhere"' in text
    assert f'<span class="brand-organization">{before}</span>' in text
    cast.acme.refresh_from_db()
    assert (cast.acme.name, cast.acme.billing_email) == (before, "")
    assert not UserEventLog.objects.filter(event="organization_changed").exists()


def test_a_slug_cannot_be_slipped_in(cast: Cast) -> None:
    slug = cast.acme.slug
    signed_in(cast.alice).post(reverse(CHANGE), {"name": "Acme Ltd", "slug": "other"})
    cast.acme.refresh_from_db()
    assert (cast.acme.name, cast.acme.slug) == ("Acme Ltd", slug)


def test_a_member_without_the_role_reads_why_there_is_no_form(cast: Cast) -> None:
    text = signed_in(cast.bob).get(reverse(PAGE)).content.decode()
    assert "Your role does not include this." in text
    assert reverse(CHANGE) not in text
    assert "Leave the team" in text
    assert "Close the organization" not in text


def test_an_admin_changes_details_and_finds_no_door_of_the_owner(cast: Cast) -> None:
    admin = add_member(cast.acme)
    role = Role.objects.get(key="admin", organization=None)
    services.assign_role(user=admin, role=role, by=cast.alice, now=timezone.now())
    client = signed_in(admin)
    assert reverse("orgs:request_transfer") not in client.get(reverse(PAGE)).content.decode()
    client.post(reverse(CHANGE), {"name": "By the admin"})
    cast.acme.refresh_from_db()
    assert cast.acme.name == "By the admin"


def test_a_wish_to_hand_it_on_is_told(cast: Cast) -> None:
    services.request_ownership_transfer(
        organization=cast.acme,
        new_owner=cast.bob,
        by=cast.alice,
        reason="I leave.",
        now=timezone.now(),
    )
    text = signed_in(cast.alice).get(reverse(PAGE)).content.decode()
    assert f"You asked to hand it to {cast.bob.get_full_name()}." in text
