"""Staff with a scope who try to change what lies outside it, or more than they were granted."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.test import RequestFactory
from django.urls import reverse
from guardian.shortcuts import assign_perm

from accounts.admin import PersonPage
from accounts.admin import UserAdmin as AccountsUserAdmin
from accounts.models import User
from orgs.models import Grant, Organization, OwnershipTransferRequest, Role, UserRoleAssignment
from orgs.permissions import CHANGE, VIEW
from tests.cast import signed_in
from tests.kept import put_back
from tests.orgs.two_organizations import (
    OF_AN_ORGANIZATION,
    Scene,
    make_scene,
    rows_of,
    text,
    url,
)
from tests.second_factor import prove
from tests.staff import grant, make_developer, number_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene(db: None) -> Scene:
    return put_back(make_scene)


def stored(model: type[Model], *rows: Model) -> list[dict[str, Any]]:
    return list(model._default_manager.filter(pk__in=[row.pk for row in rows]).values())


def details(organization: Organization, name: str) -> dict[str, Any]:
    """The form of an organization's page."""
    return {
        "name": name,
        "slug": organization.slug,
        "billing_email": "",
        "ownership_transfers-TOTAL_FORMS": 0,
        "ownership_transfers-INITIAL_FORMS": 0,
    }


@pytest.mark.parametrize("model", OF_AN_ORGANIZATION, ids=lambda model: str(model._meta.model_name))
@pytest.mark.parametrize("page", ["change", "delete"])
def test_nothing_is_posted_to_others_rows(scene: Scene, model: type[Model], page: str) -> None:
    others = rows_of(model, "Beta")
    before = stored(model, *others)
    for row in others:
        form = {"post": "yes", "name": "Mine", "slug": "mine", "email": "mine@example.com"}
        assert scene.client.post(url(model, page, row.pk), form).status_code in {302, 403}
    assert stored(model, *others) == before


@pytest.mark.parametrize(
    ("model", "action"),
    [
        (Grant, "take_away"),
        (UserRoleAssignment, "take_away"),
        (OwnershipTransferRequest, "decline"),
        (User, "delete_selected"),
    ],
)
def test_no_action_reaches_the_others(scene: Scene, model: type[Model], action: str) -> None:
    # So that no service refuses what the page would let by.
    for permission in ("orgs.assign_roles", "orgs.view_billing"):
        assign_perm(permission, scene.scoped, scene.beta)
    others = rows_of(model, "Beta")
    before = stored(model, *others)
    chosen = {"action": action, "_selected_action": [row.pk for row in others], "post": "yes"}
    answer = scene.client.post(url(model, "changelist"), chosen, follow=True)
    assert "beta" not in text(answer)
    assert stored(model, *others) == before


def test_nobody_and_nothing_else_can_be_chosen(scene: Scene) -> None:
    theirs, ours = Role.objects.get(key="beta-role"), Role.objects.get(key="member")
    bob, beth = scene.cast.bob, User.objects.get(email="owner@beta.example")
    grants, held = Grant.objects.count(), UserRoleAssignment.objects.count()
    for person, organization in ((beth, scene.cast.acme), (bob, scene.beta)):
        form = {
            "user": person.pk,
            "content_object": organization.pk,
            "permission": number_of("orgs.view_billing"),
        }
        assert "select a valid choice" in text(scene.client.post(url(Grant, "add"), form))
    for person, role in ((beth, ours), (bob, theirs)):
        answer = scene.client.post(
            url(UserRoleAssignment, "add"), {"user": person.pk, "role": role.pk}
        )
        assert "select a valid choice" in text(answer)
    assert (Grant.objects.count(), UserRoleAssignment.objects.count()) == (grants, held)


def test_a_transfer_of_theirs_is_not_found(scene: Scene) -> None:
    client = prove(scene.scoped)
    ours = reverse("admin:orgs_organization_transfer", args=[scene.cast.acme.pk])
    theirs = reverse("admin:orgs_organization_transfer", args=[scene.beta.pk])
    assert client.get(ours).status_code == 200
    assert client.get(theirs).status_code == 404
    beth = User.objects.get(email="owner@beta.example")
    form = {"reason": "Mine.", "slug": "beta", "from_owner": scene.beta.owner_id}
    assert client.post(f"{theirs}?to={beth.pk}", form).status_code == 404
    assert Organization.objects.get(pk=scene.beta.pk).owner_id == scene.beta.owner_id


def test_an_organization_is_changed_by_whoever_was_granted_that_there(scene: Scene) -> None:
    helper, acme = make_developer(), scene.cast.acme
    client, page = signed_in(helper), url(Organization, "change", acme.pk)
    grant(helper, VIEW, acme, by=scene.cast.dana)
    assert client.post(page, details(acme, "Acme 2")).status_code == 403
    grant(helper, CHANGE, acme, by=scene.cast.dana)
    assert 'name="_save"' in text(client.get(page))
    client.post(page, details(acme, "Acme 2"))
    assert Organization.objects.get(pk=acme.pk).name == "Acme 2"


def test_who_may_change_an_organization_and_not_see_it_does_neither(scene: Scene) -> None:
    helper = make_developer()
    grant(helper, CHANGE, scene.beta, by=scene.cast.dana)
    page = url(Organization, "change", scene.beta.pk)
    for client in (signed_in(helper), scene.client):
        assert client.post(page, details(scene.beta, "Mine")).status_code in {302, 403}
    assert Organization.objects.get(pk=scene.beta.pk).name == "Beta"


def test_to_see_is_not_to_change_what_belongs_to_an_organization(scene: Scene) -> None:
    helper, bob = make_developer(), scene.cast.bob
    grant(helper, VIEW, scene.cast.acme, by=scene.cast.dana)
    client = signed_in(helper)
    for page in ("change", "delete"):
        answer = client.post(url(User, page, bob.pk), {"name": "Bobby", "post": "yes"})
        assert answer.status_code == 403
    assert client.get(url(Grant, "add")).status_code == 403
    assert User.objects.get(pk=bob.pk).name == "Bob Brown"


def test_deleting_a_person_does_not_tell_where_they_were_before(scene: Scene) -> None:
    assign_perm("orgs.view_billing", scene.cast.bob, scene.beta)
    page = url(User, "delete", scene.cast.bob.pk)
    assert "beta" in text(signed_in(scene.cast.dana).get(page))
    question = text(scene.client.get(page))
    assert "bob@example.com" in question
    assert "beta" not in question
    scene.client.post(page, {"post": "yes"})
    assert not User.objects.filter(pk=scene.cast.bob.pk).exists()


def test_a_page_about_a_person_finds_those_in_scope_only(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def shown(request: HttpRequest, user_id: int) -> HttpResponse:
        return HttpResponse(User.objects.get(pk=user_id).email)

    page = PersonPage("shown", "Shown", "accounts.view_user", shown)
    monkeypatch.setattr(AccountsUserAdmin, "pages", [page])
    routes = admin.site.get_model_admin(User).get_urls()
    (view,) = [each.callback for each in routes if each.name == "accounts_user_shown"]
    request = RequestFactory().get("/")
    request.user = scene.scoped
    assert text(view(request, user_id=scene.cast.bob.pk)) == "bob@example.com"
    with pytest.raises(Http404):
        view(request, user_id=scene.beta.owner_id)


def test_the_reasons_of_access_tell_nothing_of_the_others(scene: Scene) -> None:
    why = reverse("admin:accounts_user_why", args=[scene.cast.bob.pk])
    asked = {"permission": "orgs.view_billing", "organization": scene.beta.slug}
    answer = scene.client.get(why, asked)
    assert answer.status_code == 422
    assert "There is no organization with this slug." in answer.content.decode()
    assert "Billing of Beta" not in answer.content.decode()
    assert "Billing of Beta" in signed_in(scene.cast.dana).get(why, asked).content.decode()
