"""What each page costs in statements, and that it does not grow with what the page lists."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from tests.cast import Cast, OrganizationFactory, add_member

# Session and person; then the page's own, the banner's one included.
COST = {
    "home": 9,
    "accounts:account": 4,
    "orgs:organization": 6,
    "orgs:team": 13,
    "billing:overview": 11,
}


@pytest.mark.parametrize(("page", "statements"), COST.items())
def test_a_page_costs_the_same_with_more_people_and_organizations(
    cast: Cast, page: str, statements: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = Client()
    client.force_login(cast.alice)
    with django_assert_num_queries(statements):
        assert client.get(reverse(page)).status_code == 200
    for _ in range(3):
        add_member(OrganizationFactory.create())
        add_member(cast.acme)
    with django_assert_num_queries(statements):
        assert client.get(reverse(page)).status_code == 200


def test_the_landing_page_costs_a_visitor_three_statements(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """The tiers, what they entitle to, and their prices; with prices, those of the mirror too."""
    with django_assert_num_queries(3):
        assert Client().get(reverse("home")).status_code == 200


@pytest.mark.parametrize(
    ("page", "statements"),
    [
        ("admin:orgs_organization_changelist", 5),
        ("admin:accounts_user_changelist", 4),
        ("admin:accounts_usereventlog_changelist", 4),
        ("admin:billing_standing_changelist", 4),
        ("admin:billing_movement_changelist", 4),
    ],
)
def test_an_admin_list_costs_the_same_with_more_rows(
    cast: Cast, page: str, statements: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = Client()
    client.force_login(cast.dana)
    with django_assert_num_queries(statements):
        assert client.get(reverse(page)).status_code == 200
    for _ in range(3):
        add_member(OrganizationFactory.create())
    with django_assert_num_queries(statements):
        assert client.get(reverse(page)).status_code == 200
