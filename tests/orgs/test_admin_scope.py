"""What the admin shows to staff who may see some organizations: those, and no trace of others."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import ForeignKey, Model
from django.test import Client
from django.urls import reverse
from djstripe.models import Customer
from pytest_django import DjangoAssertNumQueries

from accounts.models import User, UserEventLog
from billing.admin_mirror import MirrorAdmin
from orgs.admin_scope import ScopedAdminMixin
from orgs.models import Grant, Organization, Role, UserRoleAssignment
from orgs.permissions import CHANGE, VIEW
from tests.cast import Cast, OrganizationFactory, add_member, signed_in
from tests.kept import put_back
from tests.orgs.two_organizations import (
    OF_AN_ORGANIZATION,
    Scene,
    make_scene,
    rows_of,
    text,
    url,
)
from tests.staff import allow, grant, make_developer, number_of

pytestmark = pytest.mark.django_db

each_kind = pytest.mark.parametrize(
    "model", OF_AN_ORGANIZATION, ids=lambda model: model._meta.model_name
)


@pytest.fixture
def scene(db: None) -> Scene:
    return put_back(make_scene)


@each_kind
def test_a_list_shows_the_scope_and_no_more(scene: Scene, model: type[Model]) -> None:
    everything = text(signed_in(scene.cast.dana).get(url(model, "changelist")))
    assert "acme" in everything
    assert "beta" in everything
    seen = text(scene.client.get(url(model, "changelist")))
    assert "acme" in seen
    assert "beta" not in seen


@pytest.mark.parametrize("model", admin.site._registry, ids=lambda model: model._meta.label)
def test_no_list_whatever_names_the_others(scene: Scene, model: type[Model]) -> None:
    for question in ("", "?all=", "?_facets=True"):
        assert "beta" not in text(scene.client.get(url(model, "changelist") + question))


@each_kind
@pytest.mark.parametrize("page", ["change", "history", "delete"])
def test_the_pages_of_others_rows_are_not_there(
    scene: Scene, model: type[Model], page: str
) -> None:
    others = rows_of(model, "Beta")
    assert others
    for row in others:
        answer, nowhere = (scene.client.get(url(model, page, key)) for key in (row.pk, 999_999))
        assert answer.status_code == nowhere.status_code != 200
        assert answer.headers.get("Location") == nowhere.headers.get("Location")
    assert "beta" not in text(scene.client.get(reverse("admin:index")))


@each_kind
def test_the_pages_of_rows_in_scope_open(scene: Scene, model: type[Model]) -> None:
    for row in rows_of(model, "Acme"):
        answer = scene.client.get(url(model, "change", row.pk))
        assert answer.status_code == 200
        assert "beta" not in text(answer)


@each_kind
def test_the_grant_alone_opens_whatever_belongs_to_the_organization(
    scene: Scene, model: type[Model]
) -> None:
    helper = make_developer()
    client = signed_in(helper)
    assert client.get(url(model, "changelist")).status_code == 403
    grant(helper, VIEW, scene.cast.acme, by=scene.cast.dana)
    assert "acme" in text(client.get(url(model, "changelist")))
    for row in rows_of(model, "Acme"):
        page = client.get(url(model, "change", row.pk))
        assert page.status_code == 200
        assert 'name="_save"' not in text(page)
    assert url(model, "changelist") in text(client.get(reverse("admin:index")))


@each_kind
def test_with_neither_permission_nor_grant_there_is_nothing(
    scene: Scene, model: type[Model]
) -> None:
    Grant.objects.filter(user=scene.scoped).delete()
    for row in rows_of(model, "Acme"):
        assert scene.client.get(url(model, "change", row.pk)).status_code != 200
    seen = text(scene.client.get(url(model, "changelist")))
    assert "beta" not in seen
    assert "member@acme" not in seen


def test_inlines_show_what_belongs_to_the_organization(scene: Scene) -> None:
    page = text(scene.client.get(url(Organization, "change", scene.cast.acme.pk)))
    assert "so says acme." in page
    assert "in_acme" in page


def test_built_in_roles_are_everybodys_who_sees_an_organization(scene: Scene) -> None:
    member = Role.objects.get(key="member", organization=None)
    page = url(Role, "change", member.pk)
    assert scene.client.get(page).status_code == 200
    assert signed_in(make_developer()).get(page).status_code == 403


def test_people_of_no_organization_are_for_those_who_see_all(scene: Scene) -> None:
    charlie = url(User, "change", scene.cast.charlie.pk)
    assert scene.client.get(charlie).status_code == 302
    assert signed_in(make_developer(VIEW)).get(charlie).status_code == 200
    assert "charlie@" not in text(scene.client.get(url(User, "changelist")))


def test_stripes_customers_are_for_those_who_see_all(scene: Scene) -> None:
    customer = Customer.objects.get(id="cus_beta")
    dana = signed_in(scene.cast.dana)
    for page in (url(Customer, "changelist"), url(Customer, "change", customer.pk)):
        assert scene.client.get(page).status_code == 403
        assert "cus_beta" in text(dana.get(page))
    asked = {"app_label": "orgs", "model_name": "organization", "field_name": "stripe_customer"}
    assert scene.client.get(reverse("admin:autocomplete"), asked).status_code == 403


@pytest.mark.parametrize(
    ("asked", "begin"),
    [
        ("orgs.grant.user", "member@"),
        ("orgs.grant.content_object", ""),
        ("orgs.userroleassignment.role", ""),
        ("orgs.organization.owner", "member@"),
        ("accounts.user.organization", ""),
        ("billing.standing.organization", ""),
        ("account.emailaddress.user", "member@"),
    ],
)
def test_nobody_else_is_offered_while_typing(scene: Scene, asked: str, begin: str) -> None:
    query = dict(zip(("app_label", "model_name", "field_name"), asked.split("."), strict=True))
    page = reverse("admin:autocomplete")
    for name, is_found in (("acme", True), ("beta", False)):
        term = begin + name
        answer: Any = scene.client.get(page, query | {"term": term})
        assert bool(answer.json()["results"]) is is_found
        assert "beta" not in text(answer)
        assert signed_in(scene.cast.dana).get(page, query | {"term": term}).json()["results"]


@pytest.mark.parametrize("is_by_group", [True, False])
def test_who_may_see_all_organizations_does(scene: Scene, is_by_group: bool) -> None:
    helper, group = make_developer(), Group.objects.create(name="Support")
    if is_by_group:
        group.permissions.add(number_of(VIEW))
        helper.groups.add(group)
    else:
        allow(helper, VIEW)
    client = signed_in(helper)
    for model in OF_AN_ORGANIZATION:
        seen = text(client.get(url(model, "changelist")))
        assert "acme" in seen
        assert "beta" in seen


def test_the_menu_names_no_pages_to_staff_who_see_nothing(cast: Cast) -> None:
    index = text(signed_in(make_developer()).get(reverse("admin:index")))
    for model in OF_AN_ORGANIZATION:
        assert url(model, "changelist") not in index


def test_every_page_of_what_belongs_to_somebody_has_a_scope() -> None:
    """A new one is told so here, and wants a row in tests/orgs/two_organizations.py."""
    unscoped = {
        model
        for model, registered in admin.site._registry.items()
        if not isinstance(registered, ScopedAdminMixin | MirrorAdmin)
        for field in model._meta.get_fields()
        if isinstance(field, ForeignKey) and field.related_model in {User, Organization}
    }
    assert unscoped == set()
    scoped = {
        model
        for model, registered in admin.site._registry.items()
        if isinstance(registered, ScopedAdminMixin)
    }
    assert scoped == set(OF_AN_ORGANIZATION)


@pytest.mark.parametrize(
    ("model", "statements"),
    [(Organization, 9), (User, 8), (UserEventLog, 8), (UserRoleAssignment, 9), (Grant, 8)],
)
def test_a_scope_costs_the_same_with_more_organizations_and_grants(
    cast: Cast,
    model: type[Model],
    statements: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    helper = make_developer()
    grant(helper, VIEW, cast.acme, by=cast.dana)
    client: Client = signed_in(helper)
    with django_assert_num_queries(statements):
        assert client.get(url(model, "changelist")).status_code == 200
    for _ in range(3):
        other = OrganizationFactory.create()
        add_member(other)
        for permission in (VIEW, CHANGE):
            grant(helper, permission, other, by=cast.dana)
    with django_assert_num_queries(statements):
        assert client.get(url(model, "changelist")).status_code == 200
