"""Leaving a team, and being removed from it: what ends with it, and who cannot go."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from guardian.shortcuts import assign_perm

from accounts import exits
from accounts.models import User, UserEventLog
from accounts.services import OwnsOrganization
from orgs import services
from orgs.models import Grant, Role
from tests.cast import PASSWORD, Cast, OrganizationFactory, add_member, lock, signed_in

pytestmark = pytest.mark.django_db

INVITE = "orgs.invite_members"


def give(person: User, key: str, by: User) -> None:
    role = Role.objects.get(key=key, organization=None)
    services.assign_role(user=person, role=role, by=by, now=timezone.now())


@pytest.fixture
def bob(cast: Cast) -> User:
    """Bob, who holds a role and a grant."""
    give(cast.bob, "billing_viewer", cast.alice)
    assign_perm(INVITE, cast.bob, cast.acme)
    return cast.bob


def assert_out(person: User, event: str, by: User) -> None:
    person.refresh_from_db()
    assert person.organization is None
    assert person.is_active
    assert not person.role_assignments.active().exists()
    assert not Grant.objects.filter(user=person).exists()
    line = UserEventLog.objects.get(event=event)
    ended = person.role_assignments.get()
    assert (ended.revoked_by, line.user, line.actor) == (by, person, by)
    assert line.data == {"roles": [ended.pk], "grants": ["invite_members"]}


def test_a_member_leaves_and_what_they_held_ends_with_it(cast: Cast, bob: User) -> None:
    here, elsewhere = signed_in(bob), signed_in(bob)
    assert "Billing viewer" in here.get(reverse("orgs:leave")).content.decode()
    page = here.post(reverse("orgs:leave"), follow=True)
    assert "You left Acme." in page.content.decode()
    assert "You belong to no organization" in page.content.decode()
    assert_out(bob, "member_left", by=bob)
    assert elsewhere.get(reverse("home")).context["user"].is_anonymous


def test_a_removed_member_is_out_and_logged_out(cast: Cast, bob: User) -> None:
    theirs, client = signed_in(bob), signed_in(cast.alice)
    url = reverse("orgs:remove_member", args=[bob.pk])
    asked = client.get(url).content.decode()
    assert "The role Billing viewer ends." in asked
    assert "One permission that was given directly ends." in asked
    bob.refresh_from_db()
    assert bob.organization == cast.acme
    page = client.post(url, follow=True).content.decode()
    assert "Bob Brown is no longer in Acme." in page
    assert_out(bob, "member_removed", by=cast.alice)
    assert theirs.get(reverse("home")).context["user"].is_anonymous
    assert (
        Client()
        .post(reverse("account_login"), {"login": bob.email, "password": PASSWORD})
        .status_code
        == 302
    )


def test_the_owner_cannot_leave_and_is_told_the_way(cast: Cast) -> None:
    client = signed_in(cast.alice)
    for answer in (client.get(reverse("orgs:leave")), client.post(reverse("orgs:leave"))):
        assert "Transfer ownership first" in answer.content.decode()
        assert reverse("orgs:request_transfer") in answer.content.decode()
    assert answer.status_code == 409
    cast.alice.refresh_from_db()
    assert cast.alice.organization == cast.acme


def test_an_owner_who_is_alone_is_offered_closing(cast: Cast) -> None:
    alone = OrganizationFactory.create().owner
    answer = signed_in(alone).get(reverse("orgs:leave"))
    assert reverse("billing:close_organization") in answer.content.decode()


def test_the_owner_is_not_removed_by_an_admin(cast: Cast) -> None:
    give(cast.bob, "admin", cast.alice)
    url = reverse("orgs:remove_member", args=[cast.alice.pk])
    answer = signed_in(cast.bob).post(url)
    assert answer.status_code == 409
    assert "Transfer ownership first" in answer.content.decode()
    with pytest.raises(OwnsOrganization):
        services.remove_member(
            organization=cast.acme, user=cast.alice, by=cast.bob, now=timezone.now()
        )


def test_without_the_permission_nobody_is_removed(cast: Cast) -> None:
    cleo = add_member(cast.acme)
    url = reverse("orgs:remove_member", args=[cleo.pk])
    assert signed_in(cast.bob).post(url).status_code == 403
    with pytest.raises(services.NotAllowed):
        services.remove_member(organization=cast.acme, user=cleo, by=cast.bob, now=timezone.now())
    cleo.refresh_from_db()
    assert cleo.organization == cast.acme


def test_nobody_of_another_organization_is_removed(cast: Cast) -> None:
    other = OrganizationFactory.create()
    outsider = add_member(other)
    url = reverse("orgs:remove_member", args=[outsider.pk])
    assert signed_in(cast.alice).post(url).status_code == 404
    with pytest.raises(services.NotAMember):
        services.remove_member(
            organization=cast.acme, user=outsider, by=cast.alice, now=timezone.now()
        )


def test_a_locked_member_leaves_from_the_lock_screen(cast: Cast) -> None:
    lock(cast.acme)
    client = signed_in(cast.bob)
    screen = client.get(reverse("home"))
    assert screen.status_code == 403
    assert reverse("orgs:leave") in screen.content.decode()
    assert client.get(reverse("orgs:leave")).status_code == 200
    page = client.post(reverse("orgs:leave"), follow=True)
    assert page.status_code == 200
    cast.bob.refresh_from_db()
    assert cast.bob.organization is None


def kept_out(person: User) -> tuple[Client, str]:
    """Log in, be refused by the lock, and return the way out that the screen offers."""
    client = Client()
    screen = client.post(reverse("account_login"), {"login": person.email, "password": PASSWORD})
    assert screen.status_code == 403
    found = re.search(r'href="(/organization/leave/[^"]+)"', screen.content.decode())
    assert found is not None
    return client, found.group(1)


def test_who_is_kept_out_at_log_in_leaves_without_coming_in(cast: Cast) -> None:
    lock(cast.acme)
    client, url = kept_out(cast.bob)
    assert "Leave Acme" in client.get(url).content.decode()
    page = client.post(url, follow=True)
    assert page.redirect_chain[-1][0] == reverse("account_login")
    cast.bob.refresh_from_db()
    assert cast.bob.organization is None
    assert client.get(url).status_code == 404
    again = client.post(reverse("account_login"), {"login": cast.bob.email, "password": PASSWORD})
    assert again.status_code == 302


def test_a_way_out_is_good_for_some_minutes_and_not_to_be_forged(cast: Cast) -> None:
    lock(cast.acme)
    client, url = kept_out(cast.bob)
    assert client.get(url[:-2] + "x/").status_code == 404
    with time_machine.travel(timezone.now() + exits.VALID_FOR + timedelta(seconds=1)):
        assert client.get(url).status_code == 404
