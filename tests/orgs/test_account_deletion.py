"""Deleting one's own account, and the way back by the mail's link and the password."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from guardian.shortcuts import assign_perm
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks

from accounts import exits
from accounts.models import User, UserEventLog
from accounts.services import OwnsOrganization
from orgs import emails, services
from orgs.models import Organization, SoftDeletion, Tier
from orgs.services.erasure import COME_BACK_WITHIN
from orgs.signals import organization_closing
from tests.accounts.test_export import prove_again
from tests.cast import PASSWORD, Cast, OrganizationFactory, add_member, lock
from tests.orgs.test_soft_delete import give, held, state_of
from tests.second_factor import log_in

pytestmark = pytest.mark.django_db

URL = "/account/delete/"


@pytest.fixture
def bob(cast: Cast) -> User:
    """Bob, who holds a role and a grant."""
    give(cast.bob, "admin", cast.alice)
    assign_perm("orgs.invite_members", cast.bob, cast.acme)
    return cast.bob


def proven(person: User) -> Client:
    """The browser of somebody who has just proved again who they are."""
    client = log_in(person)
    prove_again(client)
    return client


def delete(person: User, **how: Any) -> SoftDeletion:
    return services.delete_own_account(user=person, now=timezone.now(), **how)


def come_back(deletion: SoftDeletion, **late: int) -> User:
    return services.come_back(deletion=deletion, now=timezone.now() + timedelta(**late))


def link(deletion: SoftDeletion) -> str:
    return reverse("orgs:come_back", args=[emails.come_back_token(deletion)])


def return_by(url: str, password: str = PASSWORD) -> str:
    """Open the link, type the password in, and return what the page then says."""
    client = Client()
    assert client.get(url).status_code == 200
    return str(client.post(url, {"password": password}, follow=True).content.decode())


def events(person: User) -> list[str]:
    lines = UserEventLog.objects.filter(user=person).order_by("pk")
    return list(lines.values_list("event", flat=True))


# --- Deleting ---------------------------------------------------------------------------------


def test_a_member_deletes_their_account_and_comes_back_as_they_were(
    bob: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    elsewhere, client = log_in(bob), proven(bob)
    bob.refresh_from_db()
    before = state_of(bob)
    page = client.get(URL).content.decode()
    assert "You leave the team of Acme" in page
    assert "For 30 days you can come back" in page
    mail.outbox.clear()
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(URL, {"email": "BOB@example.com"}, follow=True)
    assert answer.redirect_chain[-1][0] == reverse("account_login")
    assert "Your account is deleted. Until" in answer.content.decode()
    for browser in (client, elsewhere):
        assert browser.get(reverse("home")).context["user"].is_anonymous
    bob.refresh_from_db()
    assert (bob.is_active, held(bob)) == (False, set())
    assert bob.erase_after is not None
    assert bob.deleted_at is not None
    assert bob.erase_after - bob.deleted_at == timedelta(days=30)
    assert events(bob)[-3:] == ["person_soft_deleted", "erasure_requested", "logout"]
    (message,) = mail.outbox
    assert message.to == [bob.email]
    found = re.search(r"https?://\S+?(/account/come-back/\S+)", str(message.body))
    assert found is not None
    fresh = Client()
    fresh.post(reverse("account_login"), {"login": bob.email, "password": PASSWORD})
    assert "_auth_user_id" not in fresh.session
    assert "You are back, on the team of Acme. Log in." in return_by(found.group(1))
    assert state_of(bob) == before
    assert log_in(bob).get(reverse("home")).status_code == 200


def test_another_address_deletes_nothing(cast: Cast) -> None:
    client = proven(cast.bob)
    answer = client.post(URL, {"email": "alice@example.com"})
    assert answer.status_code == 422
    assert "This is not the address of your account." in answer.content.decode()
    cast.bob.refresh_from_db()
    assert cast.bob.deleted_at is None


def test_the_address_is_shown_as_text_whatever_is_in_it(cast: Cast) -> None:
    User.objects.filter(pk=cast.charlie.pk).update(email='"<b>x</b>"@example.com')
    url = exits.urls_of(cast.charlie, "orgs:delete_from_outside")[0]
    page = Client().get(url).content.decode()
    assert "&lt;b&gt;x&lt;/b&gt;" in page
    assert "<b>x" not in page


def test_who_has_not_just_proved_who_they_are_is_asked_first(cast: Cast) -> None:
    client = log_in(cast.bob)
    for answer in (client.get(URL), client.post(URL, {"email": cast.bob.email})):
        assert answer["Location"].startswith(reverse("account_reauthenticate"))
    cast.bob.refresh_from_db()
    assert cast.bob.deleted_at is None


def test_a_person_of_no_organization_deletes_and_comes_back(cast: Cast) -> None:
    deletion = delete(cast.charlie)
    assert "You are back, and belong to no organization." in return_by(link(deletion))


def test_our_own_staff_ask_a_colleague(cast: Cast) -> None:
    answer = log_in(cast.dana).get(URL)
    assert answer.status_code == 403
    assert "Ask a colleague" in answer.content.decode()
    with pytest.raises(services.DevelopersAskColleagues):
        delete(cast.dana)


def test_an_owner_with_a_team_is_told_to_transfer_or_to_close(cast: Cast) -> None:
    client = proven(cast.alice)
    for answer in (client.get(URL), client.post(URL, {"email": cast.alice.email})):
        page = answer.content.decode()
        assert "Transfer ownership first" in page
        assert reverse("orgs:request_transfer") in page
        assert reverse("billing:close_organization") in page
    assert answer.status_code == 409
    with pytest.raises(OwnsOrganization, match="Transfer ownership first"):
        delete(cast.alice)
    with pytest.raises(services.HasOtherMembers):
        delete(cast.alice, closing_own=True)
    services.close_organization(organization=cast.acme, by=cast.alice, now=timezone.now())
    page = proven(cast.alice).get(URL).content.decode()
    assert "then you can delete your account" in page


def test_an_owner_who_is_alone_closes_the_organization_as_they_go() -> None:
    alone = OrganizationFactory.create(name="Solo").owner
    client = proven(alone)
    assert "Close Solo for good" in client.get(URL).content.decode()
    refused = client.post(URL, {"email": alone.email})
    assert refused.status_code == 422
    assert Organization.objects.filter(name="Solo").exists()
    client.post(URL, {"email": alone.email, "close_own": "on"})
    assert not Organization.objects.exists()
    alone.refresh_from_db()
    assert alone.deleted_at is not None
    page = return_by(link(alone.soft_deletions.get()))
    assert "You are back, and belong to no organization." in page


def test_an_organization_that_is_still_billed_keeps_its_owner(cast: Cast) -> None:
    alone = OrganizationFactory.create().owner

    def bill(**kwargs: Any) -> None:
        raise services.StillBilled

    organization_closing.connect(bill)
    try:
        answer = proven(alone).post(URL, {"email": alone.email, "close_own": "on"})
    finally:
        organization_closing.disconnect(bill)
    assert answer.status_code == 422
    assert "still has a subscription: close it first" in answer.content.decode()
    alone.refresh_from_db()
    assert (alone.deleted_at, alone.organization is None) == (None, False)


def test_when_the_last_step_fails_neither_is_anything_closed(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = OrganizationFactory.create().owner
    monkeypatch.setattr("orgs.services.erasure.COME_BACK_WITHIN", "not a time")
    with pytest.raises(TypeError):
        delete(alone, closing_own=True)
    alone.refresh_from_db()
    assert alone.deleted_at is None
    assert Organization.objects.filter(owner=alone).exists()
    assert not SoftDeletion.objects.exists()


def test_a_locked_member_deletes_their_account(cast: Cast) -> None:
    client = log_in(cast.bob)
    lock(cast.acme)
    assert f'href="{URL}"' in client.get(reverse("home")).content.decode()
    prove_again(client)
    client.post(URL, {"email": cast.bob.email})
    cast.bob.refresh_from_db()
    assert cast.bob.deleted_at is not None


def test_who_is_kept_out_at_log_in_deletes_without_coming_in_and_once(cast: Cast) -> None:
    lock(cast.acme)
    client = Client()
    screen = client.post(reverse("account_login"), {"login": cast.bob.email, "password": PASSWORD})
    found = re.search(r'href="(/account/delete/[^"]+)"', screen.content.decode())
    assert found is not None
    url = found.group(1)
    assert "Delete my account" in client.get(url).content.decode()
    gone = client.post(url, {"email": cast.bob.email}, follow=True)
    assert "Your account is deleted." in gone.content.decode()
    deletion = cast.bob.soft_deletions.get()
    assert client.get(url).status_code == 404
    come_back(deletion)
    assert client.get(url).status_code == 404


# Session, person and three for the proof of who it is; then the page's own.
@pytest.mark.parametrize(
    ("page", "statements"),
    [("accounts:export", 5), ("orgs:delete_account", 7), ("orgs:export_organization", 6)],
)
def test_a_page_costs_the_same_with_more_people(
    cast: Cast, page: str, statements: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = proven(cast.alice)
    for _ in range(2):
        with django_assert_num_queries(statements):
            assert client.get(reverse(page)).status_code == 200
        add_member(cast.acme)


# --- The way back -----------------------------------------------------------------------------


def test_a_wrong_password_brings_nobody_back_and_can_be_tried_ten_times_a_minute(
    cast: Cast,
) -> None:
    url, client = link(delete(cast.bob)), Client()
    for _ in range(10):
        answer = client.post(url, {"password": "not this"})
        assert answer.status_code == 422
    assert "This is not the password of this account." in answer.content.decode()
    assert client.post(url, {"password": PASSWORD}).status_code == 429
    cast.bob.refresh_from_db()
    assert cast.bob.deleted_at is not None


def test_looking_at_the_link_changes_nothing(cast: Cast) -> None:
    url = link(delete(cast.bob))
    for _ in range(2):
        assert "on the team of Acme again" in Client().get(url).content.decode()
    cast.bob.refresh_from_db()
    assert cast.bob.deleted_at is not None


def test_the_link_works_once_and_logs_nobody_in(cast: Cast) -> None:
    deletion, client = delete(cast.bob), Client()
    client.post(link(deletion), {"password": PASSWORD})
    assert "_auth_user_id" not in client.session
    again = client.get(link(deletion))
    assert again.status_code == 410
    assert "You are back already" in again.content.decode()
    later = delete(cast.bob)
    assert client.post(link(deletion), {"password": PASSWORD}).status_code == 410
    with pytest.raises(services.NotDeleted):
        come_back(deletion)
    assert client.get(link(later)).status_code == 200


def test_the_link_is_good_for_30_days_and_not_to_be_forged(cast: Cast) -> None:
    deletion = delete(cast.bob)
    assert Client().get(link(deletion)[:-2] + "x/").status_code == 404
    with time_machine.travel(timezone.now() + COME_BACK_WITHIN - timedelta(minutes=1)):
        assert Client().get(link(deletion)).status_code == 200
    with time_machine.travel(timezone.now() + COME_BACK_WITHIN + timedelta(minutes=1)):
        answer = Client().post(link(deletion), {"password": PASSWORD})
        assert answer.status_code == 410
        assert "It is too late to come back" in answer.content.decode()
    with pytest.raises(services.CannotComeBack):
        come_back(deletion, days=30)


def test_who_was_deleted_by_staff_does_not_come_back_by_themself(cast: Cast) -> None:
    deletion = services.soft_delete(user=cast.bob, by=cast.dana, reason="Left.")
    services.request_erasure(user=cast.bob, by=cast.dana, reason="Asked.", now=timezone.now())
    assert Client().post(link(deletion), {"password": PASSWORD}).status_code == 410
    with pytest.raises(services.CannotComeBack):
        come_back(deletion)


def test_from_a_full_organization_they_come_back_alone_and_are_told_before(
    cast: Cast, bob: User
) -> None:
    deletion = delete(bob)
    Tier.objects.filter(key="free").update(seat_limit=2)
    add_member(cast.acme)
    assert "All seats of Acme are taken meanwhile" in Client().get(link(deletion)).content.decode()
    assert "You are back, and belong to no organization." in return_by(link(deletion))
    bob.refresh_from_db()
    assert (bob.organization, bob.is_active, held(bob)) == (None, True, set())
    assert not bob.role_assignments.not_revoked().exists()
    assert events(bob)[-2:] == ["member_left", "person_restored"]


def test_from_a_closed_organization_they_come_back_alone(cast: Cast) -> None:
    deletion = delete(cast.bob)
    add_member(cast.acme)
    services.close_organization(organization=cast.acme, by=cast.alice, now=timezone.now())
    assert "Acme was closed meanwhile" in Client().get(link(deletion)).content.decode()
    assert come_back(deletion).organization is None


def test_from_an_organization_that_is_gone_they_come_back_alone(cast: Cast) -> None:
    deletion = delete(cast.bob)
    services.close_organization(organization=cast.acme, by=cast.alice, now=timezone.now())
    assert not Organization.objects.exists()
    assert "You are back, and belong to no organization." in return_by(link(deletion))


def test_to_a_locked_organization_they_come_back_and_wait_with_it(cast: Cast) -> None:
    deletion = delete(cast.bob)
    lock(cast.acme)
    assert come_back(deletion).organization == cast.acme


def test_staff_who_restore_call_the_erasure_off(cast: Cast) -> None:
    deletion = delete(cast.bob)
    services.restore(user=cast.bob, by=cast.dana)
    cast.bob.refresh_from_db()
    assert (cast.bob.erase_after, cast.bob.is_active) == (None, True)
    with pytest.raises(services.NotDeleted):
        come_back(deletion)
    assert services.erase_deleted_people(now=timezone.now() + COME_BACK_WITHIN) == 0
