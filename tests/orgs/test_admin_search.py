"""What staff find in the admin: by how an address, a slug or an id begins, whatever the case."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from djstripe.models import Customer, Subscription

from accounts.admin_base import LongListAdmin
from accounts.models import User
from billing.models import Standing
from orgs import services
from orgs.models import Grant, Invitation, Organization, Role, UserRoleAssignment
from tests.cast import Cast, OrganizationFactory, signed_in
from tests.orgs.two_organizations import url
from tests.staff import grant

pytestmark = pytest.mark.django_db


@pytest.fixture
def dana(cast: Cast) -> Client:
    """Acme, and Beta, of which nobody asks: Bob holds a role and a grant, Eve was invited."""
    now = timezone.now()
    beta = OrganizationFactory.create(name="Beta")
    for organization in (cast.acme, beta):
        owner = organization.owner
        member = Role.objects.get(key="member")
        person = cast.bob if organization == cast.acme else owner
        services.assign_role(user=person, role=member, by=owner, now=now)
        grant(person, "orgs.view_billing", organization, by=cast.dana)
        email = f"eve@{organization.slug}.example"
        services.invite(organization=organization, email=email, by=owner, now=now)
        Role.objects.create(key=f"own_{organization.slug}", name="Own", organization=organization)
    customer = Customer.objects.create(id="cus_NffrFeUf")
    Organization.objects.filter(pk=cast.acme.pk).update(stripe_customer=customer)
    subscription = Subscription.objects.create(
        id="sub_1MowQV",
        customer=customer,
        stripe_data={"id": "sub_1MowQV", "status": "active", "items": {"data": []}},
    )
    Standing.objects.filter(organization=cast.acme).update(subscription=subscription)
    return signed_in(cast.dana)


def found(client: Client, model: type[Model], **asked: Any) -> list[str]:
    page = client.get(url(model, "changelist"), asked)
    return [str(row) for row in page.context["cl"].result_list]


def offered(client: Client, model: type[Model], field: str, term: str) -> list[str]:
    asked = {"app_label": "orgs", "model_name": model.__name__.lower(), "field_name": field}
    answer: Any = client.get(reverse("admin:autocomplete"), asked | {"term": term})
    return [each["text"] for each in answer.json()["results"]]


# The look-ups that an index serves; the last one an index of names (accounts/name_search.py).
INDEXED = ("__startswith", "__exact", "name__istartswith")
BOB, ACME, HELD = "bob@example.com", "Acme", "bob@example.com: Member"


@pytest.mark.parametrize(
    ("model", "term", "rows"),
    [
        (User, "bob", [BOB]),
        (User, " BOB@example ", [BOB]),
        (User, "example.com", []),
        (User, "Brown", []),
        (User, "bOB b", [BOB]),
        (User, "b%", []),
        (Organization, "ac", [ACME]),
        (Organization, "ACME", [ACME]),
        (Organization, "cme", []),
        (Organization, "shipping", []),
        (Organization, "alice@", [ACME]),
        (Organization, "alice ad", [ACME]),
        (Organization, "Adams", []),
        (Organization, "bob@", [ACME]),
        (Organization, "Bob Brown", []),
        (Organization, "cus_NffrFeUf", [ACME]),
        (Organization, "cus_Nffr", []),
        (Organization, "sub_1MowQV", [ACME]),
        (Organization, "sub_1Mow", []),
        (Standing, "aCME", [f"{ACME}: free"]),
        (Standing, "sub_1MowQV", [f"{ACME}: free"]),
        (Subscription, "cus_NffrFeUf", ["<id=sub_1MowQV>"]),
        (UserRoleAssignment, "Bob@", [HELD]),
        (UserRoleAssignment, "acme", [HELD]),
        (UserRoleAssignment, "member", []),
        (Invitation, "eve@acme", ["eve@acme.example → Acme"]),
        (Invitation, "Acme", ["eve@acme.example → Acme", "bob@example.com → Acme"]),
        (Role, "own_ac", ["Own"]),
        (Role, "Billing v", ["Billing viewer"]),
    ],
)
def test_a_list_is_searched_by_how_things_begin(
    dana: Client, model: type[Model], term: str, rows: list[str]
) -> None:
    assert found(dana, model, q=term) == rows


@pytest.mark.parametrize("term", ["bob@", "ACME"])
def test_grants_are_found_by_person_and_by_organization(dana: Client, term: str) -> None:
    page = dana.get(url(Grant, "changelist"), {"q": term})
    (row,) = page.context["cl"].result_list
    assert row.user.email == BOB


def test_what_is_searched_is_said(dana: Client) -> None:
    lists = [each for each in admin.site._registry.values() if isinstance(each, LongListAdmin)]
    assert len(lists) > 10
    for each in lists:
        assert each.search_help_text
        assert all(field.endswith(INDEXED) for field in each.search_fields)


def test_nobody_who_was_deleted_softly_is_offered(dana: Client, cast: Cast) -> None:
    assert offered(dana, Grant, "user", "bob") == [BOB]
    services.soft_delete(user=cast.bob, by=cast.dana, reason="Left.")
    assert offered(dana, Grant, "user", "bob") == []
    assert BOB not in offered(dana, Grant, "user", "")
    assert found(dana, User, q="bob", deleted="yes") == [BOB]


def test_the_built_in_roles_are_offered_first(dana: Client) -> None:
    built_in = Role.objects.filter(organization=None).order_by("kind", "name")
    names = [role.name for role in built_in]
    assert offered(dana, UserRoleAssignment, "role", "") == [*names, "Own", "Own"]
    assert offered(dana, UserRoleAssignment, "role", "adm") == ["Admin"]


def test_an_organizations_page_leads_to_its_people_and_roles(dana: Client, cast: Cast) -> None:
    page = dana.get(url(Organization, "change", cast.acme.pk)).content.decode()
    asked = {"organization__id__exact": cast.acme.pk}
    lists = {
        User: ["alice@example.com", BOB],
        UserRoleAssignment: [HELD],
        Role: ["Own"],
    }
    for model, rows in lists.items():
        assert f"{url(model, 'changelist')}?organization__id__exact={cast.acme.pk}" in page
        assert found(dana, model, **asked) == rows


def test_roles_of_people_are_filtered_by_the_built_in_ones(dana: Client, cast: Cast) -> None:
    acmes = Role.objects.get(key="own_acme")
    services.assign_role(user=cast.bob, role=acmes, by=cast.alice, now=timezone.now())
    page = dana.get(url(UserRoleAssignment, "changelist")).content.decode()
    assert "?built_in=" in page
    assert f"?built_in={acmes.pk}" not in page
    member = Role.objects.get(key="member")
    assert f"{BOB}: Own" not in found(dana, UserRoleAssignment, built_in=member.pk)
    assert HELD in found(dana, UserRoleAssignment, built_in=member.pk)
    assert len(found(dana, UserRoleAssignment, built_in="nonsense")) == 3
