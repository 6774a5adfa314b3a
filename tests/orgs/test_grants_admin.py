"""Staff grant and revoke in the admin, by the same services, and are told what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User, UserEventLog
from orgs.models import Grant, Organization
from orgs.permissions import CHANGE, FEATURES, VIEW
from tests.cast import Cast, OrganizationFactory, signed_in
from tests.staff import grant, make_developer, number_of

pytestmark = pytest.mark.django_db

ADD = reverse("admin:orgs_grant_add")
LIST = reverse("admin:orgs_grant_changelist")
AUTOCOMPLETE = reverse("admin:autocomplete")
BILLING = "orgs.view_billing"


@pytest.fixture
def dana(cast: Cast) -> Client:
    return signed_in(cast.dana)


def give(client: Client, person: User, permission: str, organization: Organization) -> str:
    chosen = {
        "user": person.pk,
        "permission": number_of(permission),
        "content_object": organization.pk,
    }
    return client.post(ADD, chosen, follow=True).content.decode()


def take(client: Client, *rows: Grant) -> str:
    chosen = {"action": "take_away", "_selected_action": [row.pk for row in rows]}
    return client.post(LIST, chosen, follow=True).content.decode()


def test_staff_grant_and_take_away_again(dana: Client, cast: Cast) -> None:
    give(dana, cast.bob, BILLING, cast.acme)
    row = Grant.objects.get()
    assert (row.user, row.content_object) == (cast.bob, cast.acme)
    page = dana.get(reverse("admin:orgs_grant_change", args=[row.pk])).content.decode()
    assert "bob@example.com" in page
    assert "1 taken away." in take(dana, row)
    assert not Grant.objects.exists()
    lines = UserEventLog.objects.filter(event__startswith="permission_", actor=cast.dana)
    assert [line.event for line in lines] == ["permission_granted", "permission_revoked"]


def test_a_developer_is_given_a_scope(dana: Client, cast: Cast) -> None:
    helper = make_developer()
    give(dana, helper, VIEW, cast.acme)
    assert helper.has_perm(VIEW, cast.acme)


def test_what_is_refused_is_said(dana: Client, cast: Cast) -> None:
    other = OrganizationFactory.create()
    assert "This person is not an active member of this organization." in give(
        dana, cast.bob, BILLING, other
    )
    assert "This permission is not for this person." in give(dana, cast.bob, VIEW, cast.acme)
    grant(cast.bob, BILLING, cast.acme, by=cast.alice)
    assert "already exists" in give(dana, cast.bob, BILLING, cast.acme)
    assert Grant.objects.count() == 1


def test_staff_without_the_organizations_permission_do_not_grant_to_members(cast: Cast) -> None:
    giver = make_developer("orgs.add_grant", "orgs.delete_grant", VIEW)
    client = signed_in(giver)
    refusal = "You may not give or take this permission."
    assert refusal in give(client, cast.bob, BILLING, cast.acme)
    row = grant(cast.bob, BILLING, cast.acme, by=cast.alice)
    answer = take(client, row)
    assert refusal in answer
    assert "0 taken away." in answer
    grant(giver, "orgs.assign_roles", cast.acme, by=cast.dana)
    assert "You do not hold this permission yourself." in take(client, row)
    assert Grant.objects.filter(pk=row.pk).exists()


def test_without_djangos_permissions_nothing_is_offered(cast: Cast) -> None:
    row = grant(cast.bob, BILLING, cast.acme, by=cast.alice)
    client = signed_in(make_developer(VIEW))
    assert client.get(ADD).status_code == 403
    page = client.get(LIST).content.decode()
    assert "bob@example.com" in page
    assert "take_away" not in page
    take(client, row)
    assert Grant.objects.filter(pk=row.pk).exists()


def test_only_what_can_be_granted_can_be_chosen(dana: Client, cast: Cast) -> None:
    form = dana.get(ADD).context["adminform"].form
    offered = {f"orgs.{each.codename}" for each in form.fields["permission"].queryset}
    assert offered == FEATURES | {VIEW, CHANGE}
    give(dana, cast.bob, "orgs.delete_organization", cast.acme)
    assert not Grant.objects.exists()


def test_rows_are_not_changed_or_deleted_by_hand(dana: Client, cast: Cast) -> None:
    row = grant(cast.bob, BILLING, cast.acme, by=cast.alice)
    page = reverse("admin:orgs_grant_change", args=[row.pk])
    assert dana.post(page, {"user": cast.alice.pk}).status_code == 403
    deletion = reverse("admin:orgs_grant_delete", args=[row.pk])
    assert dana.post(deletion, {"post": "yes"}).status_code == 403
    dana.post(LIST, {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"})
    assert Grant.objects.get() == row


@pytest.mark.parametrize(
    ("field", "term", "found"),
    [("user", "bob", "bob@example.com"), ("content_object", "a", "Acme")],
)
def test_people_and_organizations_are_looked_for(
    dana: Client, field: str, term: str, found: str
) -> None:
    asked = {"app_label": "orgs", "model_name": "grant", "field_name": field, "term": term}
    answer: Any = dana.get(AUTOCOMPLETE, asked).json()
    assert found in [each["text"] for each in answer["results"]]
