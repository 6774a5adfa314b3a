"""Staff delete people softly and restore them in the admin: preview, choice, refusals."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from guardian.shortcuts import assign_perm

from accounts.models import User
from orgs import services
from orgs.models import Grant, Role, SoftDeletion, Tier
from tests.cast import Cast, PersonFactory, add_member, signed_in

pytestmark = pytest.mark.django_db


def page_of(name: str, person: User) -> str:
    return reverse(f"admin:accounts_user_{name}", args=[person.pk])


@pytest.fixture
def dana(cast: Cast) -> Client:
    for key in ("billing_viewer", "member"):
        role = Role.objects.get(key=key, organization=None)
        services.assign_role(user=cast.bob, role=role, by=cast.alice, now=timezone.now())
    assign_perm("orgs.invite_members", cast.bob, cast.acme)
    return signed_in(cast.dana)


def delete(dana: Client, person: User) -> str:
    answer = dana.post(page_of("soft-delete", person), {"reason": "Left."}, follow=True)
    return answer.content.decode()


def held(person: User) -> set[str]:
    return set(person.role_assignments.active().values_list("role__key", flat=True))


def test_the_page_shows_what_ends_and_asks_for_a_reason(dana: Client, cast: Cast) -> None:
    asked = dana.get(page_of("soft-delete", cast.bob)).content.decode()
    assert "The role Billing viewer ends." in asked
    assert "The direct grant invite_members in Acme ends." in asked
    assert dana.post(page_of("soft-delete", cast.bob), {"reason": " "}).status_code == 422
    assert not SoftDeletion.objects.exists()
    assert "Deleted bob@example.com, who can be restored." in delete(dana, cast.bob)
    assert SoftDeletion.objects.get(user=cast.bob).reason == "Left."
    assert (
        "This person was deleted already."
        in dana.get(page_of("soft-delete", cast.bob)).content.decode()
    )


def test_all_comes_back_unless_staff_choose(dana: Client, cast: Cast) -> None:
    delete(dana, cast.bob)
    page = dana.get(page_of("restore", cast.bob))
    form = page.context["form"]
    assert "by dana@example.com: Left." in page.content.decode()
    chosen = {"roles": form["roles"].initial, "grants": "on"}
    done = dana.post(page_of("restore", cast.bob), chosen, follow=True).content.decode()
    assert "Restored bob@example.com." in done
    assert held(cast.bob) == {"billing_viewer", "member"}
    assert Grant.objects.filter(user=cast.bob).count() == 1


def test_what_staff_leave_out_does_not_come_back(dana: Client, cast: Cast) -> None:
    delete(dana, cast.bob)
    kept = cast.bob.role_assignments.get(role__key="member")
    dana.post(page_of("restore", cast.bob), {"roles": [kept.pk]})
    assert held(cast.bob) == {"member"}
    assert not Grant.objects.filter(user=cast.bob).exists()


def test_without_a_seat_staff_are_told_and_nothing_is_restored(dana: Client, cast: Cast) -> None:
    delete(dana, cast.bob)
    add_member(cast.acme)
    Tier.objects.filter(key="free").update(seat_limit=2)
    answer = dana.post(page_of("restore", cast.bob), {})
    assert answer.status_code == 422
    assert "All 2 seats of the organization are taken" in answer.content.decode()
    cast.bob.refresh_from_db()
    assert cast.bob.deleted_at is not None


def test_an_owner_is_shown_the_way_instead_of_a_form(dana: Client, cast: Cast) -> None:
    for answer in (
        dana.get(page_of("soft-delete", cast.alice)),
        dana.post(page_of("soft-delete", cast.alice), {"reason": "No."}),
    ):
        assert "Transfer ownership first" in answer.content.decode()
    assert not SoftDeletion.objects.exists()


@pytest.mark.parametrize(
    ("action", "page"), [("soft_delete", "soft-delete"), ("restore", "restore")]
)
def test_an_action_of_the_list_leads_to_the_page_of_one_person(
    dana: Client, cast: Cast, action: str, page: str
) -> None:
    url = reverse("admin:accounts_user_changelist")
    form = {"action": action, "_selected_action": [cast.bob.pk]}
    assert dana.post(url, form)["Location"] == page_of(page, cast.bob)
    form["_selected_action"] = [cast.bob.pk, cast.charlie.pk]
    assert "Choose one person" in dana.post(url, form, follow=True).content.decode()
    assert not SoftDeletion.objects.exists()


def test_there_is_nothing_to_restore_of_somebody_present(dana: Client, cast: Cast) -> None:
    page = dana.get(page_of("restore", cast.bob), follow=True).content.decode()
    assert "This person is not deleted." in page


def test_only_staff_with_the_permission_open_these_pages(cast: Cast) -> None:
    clerk = PersonFactory.create(user_type="developer", is_staff=True)
    for person in (clerk, cast.alice):
        for name in ("soft-delete", "restore", "why"):
            assert signed_in(person).get(page_of(name, cast.bob)).status_code in {302, 403, 404}


def test_deleted_people_are_out_of_the_list_unless_asked_for(dana: Client, cast: Cast) -> None:
    delete(dana, cast.bob)
    url = reverse("admin:accounts_user_changelist")
    assert "bob@example.com" not in dana.get(url).content.decode()
    assert "bob@example.com" in dana.get(url, {"deleted": "yes"}).content.decode()
    assert (
        cast.bob.email in dana.get(reverse("admin:orgs_softdeletion_changelist")).content.decode()
    )


def test_a_deleted_person_is_not_activated_but_restored(dana: Client, cast: Cast) -> None:
    delete(dana, cast.bob)
    change = reverse("admin:accounts_user_change", args=[cast.bob.pk])
    page = dana.post(change, {"name": cast.bob.name, "is_active": "on"}).content.decode()
    assert "This person was deleted. Restore them first." in page
    cast.bob.refresh_from_db()
    assert not cast.bob.is_active


def test_why_says_each_leg_and_a_wrong_organization_is_named(dana: Client, cast: Cast) -> None:
    url = page_of("why", cast.bob)
    page = dana.get(url, {"permission": "orgs.invite_members"}).content.decode()
    assert "bob@example.com is a member of Acme." in page
    assert "So yes, not" not in page
    assert "So yes, orgs.invite_members: by a direct grant." in page
    delete(dana, cast.bob)
    gone = dana.get(url, {"permission": "orgs.invite_members"}).content.decode()
    assert "ended by the deletion #" in gone
    assert "So no, not orgs.invite_members: they are deactivated or deleted." in gone
    wrong = dana.get(url, {"permission": "orgs.invite_members", "organization": "none"})
    assert wrong.status_code == 422
    assert "There is no organization with this slug." in wrong.content.decode()
