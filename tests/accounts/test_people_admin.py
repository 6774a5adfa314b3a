"""People in the admin: who may go, and what staff are told about owners."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import models
from django.test import Client
from django.urls import reverse

from accounts import services
from accounts.models import User, UserEventLog
from orgs.models import Organization
from tests.cast import Cast

THE_WAY = "Transfer ownership first"


@pytest.fixture
def dana(cast: Cast, client: Client) -> Client:
    client.force_login(cast.dana)
    return client


def change(client: Client, person: User, **fields: Any) -> str:
    page = reverse("admin:accounts_user_change", args=[person.pk])
    return client.post(page, {"name": person.name} | fields, follow=True).content.decode()


def delete(client: Client, person: User) -> str:
    page = reverse("admin:accounts_user_delete", args=[person.pk])
    return client.post(page, {"post": "yes"}, follow=True).content.decode()


def delete_selected(client: Client, *people: User, **fields: str) -> str:
    form = {"action": "delete_selected", "_selected_action": [each.pk for each in people]}
    page = reverse("admin:accounts_user_changelist")
    return client.post(page, form | fields, follow=True).content.decode()


def test_a_member_is_deactivated_and_activated_again(dana: Client, cast: Cast) -> None:
    bob = User.objects.filter(pk=cast.bob.pk)
    change(dana, cast.bob)
    assert bob.get().is_active is False
    change(dana, cast.bob, is_active="on")
    assert bob.get().is_active is True
    events = UserEventLog.objects.filter(user=cast.bob, actor=cast.dana).order_by("id")
    assert [line.event for line in events] == ["person_deactivated", "person_activated"]


def test_deactivating_an_owner_shows_the_way(dana: Client, cast: Cast) -> None:
    assert THE_WAY in change(dana, cast.alice)
    cast.alice.refresh_from_db()
    assert cast.alice.is_active


def test_a_member_is_deleted_and_what_they_did_stays_in_the_log(dana: Client, cast: Cast) -> None:
    bob_id = cast.bob.pk
    delete(dana, cast.bob)
    assert not User.objects.filter(pk=bob_id).exists()
    assert UserEventLog.objects.filter(user_id=bob_id, event="member_joined").exists()
    assert UserEventLog.objects.filter(user_id=bob_id, event="person_deleted").exists()
    # A line whose subject is gone is still listed.
    page = dana.get(reverse("admin:accounts_usereventlog_changelist"))
    assert "was deleted for good" in page.content.decode()


def test_deleting_an_owner_shows_the_way(dana: Client, cast: Cast) -> None:
    assert THE_WAY in delete(dana, cast.alice)
    assert User.objects.filter(pk=cast.alice.pk).exists()


def test_deleting_several_keeps_the_owners_and_names_them(dana: Client, cast: Cast) -> None:
    question = delete_selected(dana, cast.alice, cast.bob)
    assert "“alice@example.com”: This person owns an organization. Transfer" in question
    delete_selected(dana, cast.alice, cast.bob, post="yes")
    assert User.objects.filter(pk=cast.alice.pk).exists()
    assert not User.objects.filter(pk=cast.bob.pk).exists()


def test_deleting_only_owners_deletes_nobody(dana: Client, cast: Cast) -> None:
    assert THE_WAY in delete_selected(dana, cast.alice, post="yes")
    assert User.objects.filter(pk=cast.alice.pk).exists()


@pytest.mark.parametrize(
    "go",
    [
        lambda cast: services.set_active(person=cast.alice, is_active=False, by=cast.dana),
        lambda cast: services.delete_person(person=cast.alice, by=cast.dana),
    ],
    ids=["set_active", "delete_person"],
)
def test_the_services_refuse_owners_in_the_same_words(cast: Cast, go: Any) -> None:
    with pytest.raises(services.OwnsOrganization, match=THE_WAY):
        go(cast)


def test_django_itself_refuses_to_delete_an_owner(cast: Cast) -> None:
    with pytest.raises(models.ProtectedError):
        cast.alice.delete()
    with pytest.raises(models.ProtectedError):
        User.objects.filter(pk=cast.alice.pk).delete()
    assert Organization.objects.get(pk=cast.acme.pk).owner == cast.alice
