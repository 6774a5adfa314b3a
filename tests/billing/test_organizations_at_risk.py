"""Organizations that pay and that nobody uses: found by staff in the list of standings."""

from __future__ import annotations

import csv
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone
from djstripe.models import Customer, Subscription
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from billing.models import Standing, Status
from orgs.models import Organization
from orgs.permissions import VIEW
from tests.cast import Cast, OrganizationFactory, add_member, signed_in
from tests.orgs.many_rows import TEAMS, fill, plan, rows_read, statements
from tests.staff import grant, make_developer

pytestmark = pytest.mark.django_db

LIST, DOWNLOAD = (reverse(f"admin:billing_standing_{page}") for page in ("changelist", "csv"))
AT_RISK = {"risk": "dormant"}


def pays(organization: Organization, status: Status = Status.CURRENT) -> None:
    customer = Customer.objects.create(id=f"cus_{organization.slug}")
    subscription = Subscription.objects.create(id=f"sub_{organization.slug}", customer=customer)
    Standing.objects.filter(organization=organization).update(
        status=status, subscription=subscription
    )


def team(name: str, *days_ago: float | None) -> Organization:
    """A team whose people, the owner first, were active so many days ago."""
    organization: Organization = OrganizationFactory.create(name=name)
    people = [organization.owner, *(add_member(organization) for _ in days_ago[1:])]
    for person, days in zip(people, days_ago, strict=True):
        moment = None if days is None else timezone.now() - timedelta(days=days)
        User.objects.filter(pk=person.pk).update(last_active=moment)
    return organization


def at_risk(client: Client) -> list[str]:
    """Whom the list shows and the download has."""
    listed = client.get(LIST, AT_RISK).context["cl"].result_list
    names = [standing.organization.name for standing in listed]
    answer: Any = client.get(DOWNLOAD, AT_RISK)
    rows = csv.DictReader(answer.getvalue().decode("utf-8-sig").splitlines())
    assert [row["organization"] for row in rows] == names
    return names


def test_those_who_pay_and_are_dormant_are_at_risk(cast: Cast) -> None:
    for name, days, status in [
        ("Away", (31, 40), Status.CURRENT),
        ("Owing", (31,), Status.PAST_DUE),
        ("Never", (None, None), Status.CURRENT),
        ("Busy", (60, 1), Status.CURRENT),
        ("Just so", (29.9,), Status.PAST_DUE),
        ("Lapsed", (60,), Status.LAPSED),
    ]:
        pays(team(name, *days), status)
    Standing.objects.filter(organization=team("Free", 60)).update(status=Status.FREE)
    Standing.objects.filter(organization=team("Exempt", 60)).update(status=Status.CURRENT)
    assert at_risk(signed_in(cast.dana)) == ["Never", "Owing", "Away"]


def test_staff_and_the_deleted_keep_no_organization_alive(cast: Cast) -> None:
    away = team("Away", 40, 0)
    pays(away)
    assert at_risk(signed_in(cast.dana)) == []
    User.objects.exclude(pk=away.owner_id).filter(organization=away).update(
        is_active=False, deleted_at=timezone.now()
    )
    assert at_risk(signed_in(cast.dana)) == ["Away"]


def test_the_list_says_when_somebody_was_active_last(cast: Cast) -> None:
    pays(team("Away", 40, 35))
    (shown,) = signed_in(cast.dana).get(LIST, AT_RISK).context["cl"].result_list
    assert (timezone.now() - shown.last_active).days == 35


def test_a_scope_sees_its_own_at_risk(cast: Cast) -> None:
    mine, others = team("Mine", 40), team("Others", 40)
    pays(mine)
    pays(others)
    helper = make_developer()
    grant(helper, VIEW, mine, by=cast.dana)
    assert at_risk(signed_in(helper)) == ["Mine"]
    for address in (LIST, DOWNLOAD):
        assert signed_in(make_developer("accounts.view_user")).get(address).status_code == 403


def test_the_page_of_activity_leads_to_them(cast: Cast) -> None:
    page = signed_in(cast.dana).get(reverse("admin:orgs_organization_activity"))
    assert f'href="{LIST}?risk=dormant"' in page.content.decode()


def test_the_list_costs_the_same_with_more_at_risk(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = signed_in(cast.dana)
    for number in range(2):
        with django_assert_num_queries(4):
            client.get(LIST, AT_RISK)
        for each in range(3):
            pays(team(f"Away {number} {each}", 40))


def listed(person: User) -> object:
    request = RequestFactory().get("/", AT_RISK)
    request.user = person
    shown: Any = admin.site.get_model_admin(Standing).get_changelist_instance(request)
    return list(shown.result_list)


def let_pay(number: int) -> None:
    """Have so many of the many organizations pay."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            "UPDATE billing_standing SET status = 'current', subscription_id = 'sub_' || id "
            "WHERE organization_id >= 1000000 AND organization_id %% %s = 0",
            [TEAMS // number],
        )
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")
        cursor.execute("ANALYZE billing_standing")


@pytest.mark.postgres
def test_among_many_it_looks_at_those_that_pay_and_not_at_their_people(cast: Cast) -> None:
    fill(cast)
    for payers in (200, TEAMS):
        let_pay(payers)
        for sql in statements(partial(listed, cast.dana)):
            assert rows_read(sql) <= 3 * payers + 600, plan(sql)
