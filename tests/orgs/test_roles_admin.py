"""Staff give and take roles in the admin, by the same services, and are told what is refused."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User, UserEventLog
from orgs import services
from orgs.models import Role
from tests.cast import Cast, PersonFactory

pytestmark = pytest.mark.django_db

ADD = reverse("admin:orgs_userroleassignment_add")
LIST = reverse("admin:orgs_userroleassignment_changelist")


@pytest.fixture
def dana(cast: Cast, client: Client) -> Client:
    client.force_login(cast.dana)
    return client


def give(client: Client, person: User, key: str) -> str:
    role = Role.objects.get(key=key, organization=None)
    answer = client.post(ADD, {"user": person.pk, "role": role.pk}, follow=True)
    return answer.content.decode()


def test_staff_give_a_member_a_role_and_take_it_away(dana: Client, cast: Cast) -> None:
    give(dana, cast.bob, "admin")
    held = cast.bob.role_assignments.active().get()
    assert (held.role.key, held.organization, held.assigned_by) == ("admin", cast.acme, cast.dana)
    dana.post(LIST, {"action": "take_away", "_selected_action": [held.pk]})
    held.refresh_from_db()
    assert (held.is_active, held.revoked_by) == (False, cast.dana)
    lines = UserEventLog.objects.filter(event__startswith="role_").values_list("event", flat=True)
    assert list(lines) == ["role_assigned", "role_revoked"]


def test_a_developer_role_is_for_developers(dana: Client, cast: Cast) -> None:
    helper = PersonFactory.create(user_type="developer")
    give(dana, helper, "support")
    assert helper.role_assignments.active().get().organization is None
    assert "This role is not for this person." in give(dana, cast.bob, "support")
    assert "not an active member" in give(dana, helper, "admin")


def test_what_is_held_already_is_said(dana: Client, cast: Cast) -> None:
    give(dana, cast.bob, "member")
    assert "holds this role already" in give(dana, cast.bob, "member")


def test_rows_are_not_changed_or_deleted_by_hand(dana: Client, cast: Cast) -> None:
    role = Role.objects.get(key="member")
    held = services.assign_role(user=cast.bob, role=role, by=cast.alice, now=timezone.now())
    page = reverse("admin:orgs_userroleassignment_change", args=[held.pk])
    assert dana.get(page).status_code == 200
    assert dana.post(page, {"is_active": ""}).status_code == 403
    deletion = reverse("admin:orgs_userroleassignment_delete", args=[held.pk])
    assert dana.post(deletion, {"post": "yes"}).status_code == 403


def test_a_row_that_was_ended_does_not_take_what_was_given_again(dana: Client, cast: Cast) -> None:
    give(dana, cast.bob, "member")
    ended = cast.bob.role_assignments.get()
    dana.post(LIST, {"action": "take_away", "_selected_action": [ended.pk]})
    give(dana, cast.bob, "member")
    answer = dana.post(LIST, {"action": "take_away", "_selected_action": [ended.pk]}, follow=True)
    assert "does not hold this role any more" in answer.content.decode()
    assert cast.bob.role_assignments.active().exists()
