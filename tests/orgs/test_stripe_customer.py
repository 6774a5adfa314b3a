"""I6: one organization, one Stripe customer. The database says so."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, models, transaction
from djstripe.models import Customer

from orgs.models import Organization
from tests.cast import OrganizationFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def linked(transactional_db: None) -> Organization:
    organization: Organization = OrganizationFactory.create()
    organization.stripe_customer = Customer.objects.create(id="cus_1")
    organization.save()
    return organization


def execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.mark.parametrize(
    "attack",
    [
        lambda: Organization.objects.update(stripe_customer_id="cus_1"),
        lambda: execute("UPDATE orgs_organization SET stripe_customer_id = 'cus_1'"),
        lambda: Organization.objects.update(stripe_customer_id="cus_of_nobody"),
        lambda: execute("UPDATE orgs_organization SET stripe_customer_id = 'cus_of_nobody'"),
        lambda: execute("DELETE FROM djstripe_customer"),
    ],
    ids=["shared", "shared, raw", "unknown", "unknown, raw", "deleted under it, raw"],
)
def test_the_database_refuses(linked: Organization, attack: Callable[[], object]) -> None:
    OrganizationFactory.create()
    with pytest.raises(IntegrityError), transaction.atomic():
        attack()
    linked.refresh_from_db()
    assert linked.stripe_customer_id == "cus_1"
    assert Organization.objects.filter(stripe_customer="cus_1").count() == 1


def test_django_protects_the_customer_of_an_organization(linked: Organization) -> None:
    assert linked.stripe_customer is not None
    with pytest.raises(models.ProtectedError):
        linked.stripe_customer.delete()


def test_an_organization_with_members_is_not_deleted(linked: Organization) -> None:
    with pytest.raises(models.ProtectedError):
        linked.delete()
