"""The admin's front page: what needs a human, how many, where they are, and what to do next."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from djstripe.models import Customer, Subscription

from accounts.models import User
from billing import gateway, services
from billing.models import PayerMail, ReconcileRun, Standing, Status, TierPrice
from orgs import needs
from orgs import services as orgs
from orgs.models import Organization
from orgs.permissions import VIEW
from tests.cast import Cast, OrganizationFactory, add_member, signed_in
from tests.matrix import undone
from tests.orgs.many_rows import fill, plan, rows_read, statements
from tests.payer import Payer
from tests.staff import grant, make_developer

pytestmark = pytest.mark.django_db

FRONT = reverse("admin:index")
HOUR = timedelta(hours=1)


def standing(organization: Organization, **fields: Any) -> None:
    Standing.objects.filter(organization=organization).update(**fields)


def ask_for_a_transfer(organization: Organization) -> None:
    heir = add_member(organization)
    orgs.request_ownership_transfer(
        organization=organization,
        new_owner=heir,
        by=organization.owner,
        reason="Because.",
        now=timezone.now(),
    )


def lock(organization: Organization) -> None:
    since = timezone.now() - HOUR
    Organization.objects.filter(pk=organization.pk).update(locked_from=since)


def leave_marked(organization: Organization) -> None:
    standing(organization, sync_requested_at=timezone.now() - HOUR)


def hear_nothing(organization: Organization) -> None:
    standing(organization, synced_at=timezone.now() - timedelta(days=3))


def exempt(organization: Organization, days: float = 6) -> None:
    until = timezone.now() + timedelta(days=days)
    standing(organization, exempt_until=until, exempt_reason="Strike.")


def pay_unused(organization: Organization) -> None:
    customer = Customer.objects.create(id=f"cus_{organization.pk}")
    paid = Subscription.objects.create(id=f"sub_{organization.pk}", customer=customer)
    standing(organization, status=Status.CURRENT, subscription=paid)
    User.objects.filter(organization=organization).update(last_active=None)
    services.count_revenue(now=timezone.now())


def give_a_mail_up(organization: Organization) -> None:
    now = timezone.now()
    PayerMail.objects.create(
        organization=organization,
        kind="receipt",
        stripe_object="in_1",
        since=now,
        facts={},
        created_at=now,
        failed_at=now,
    )


def leave_a_finding(organization: Organization) -> None:
    now = timezone.now()
    while ReconcileRun.objects.count() < 2:
        ReconcileRun.objects.create(started_at=now, finished_at=now, touched_at=now)
    # What the older one found was looked at anew by the newer one.
    for run in ReconcileRun.objects.all():
        run.findings.create(
            organization=organization, finding="two_subscriptions", what="sub_1", found_at=now
        )


# What the page calls each, and how an organization comes to need it.
PLANTED: dict[str, Callable[[Organization], None]] = {
    "Requests for a transfer of ownership": ask_for_a_transfer,
    "Organizations locked in the last 24 hours": lock,
    "Organizations that could not be synced": leave_marked,
    "Organizations of which nothing was heard for two days": hear_nothing,
    "Organizations that pay a price of no tier": lambda acme: standing(
        acme, reason="unmapped_price"
    ),
    "Organizations with more than one subscription": lambda acme: standing(
        acme, is_billed_twice=True
    ),
    "Organizations whose customer was deleted at Stripe": lambda acme: standing(
        acme, reason="customer_deleted"
    ),
    "Exemptions that end within a week": exempt,
    "Mails about billing that could not be sent": give_a_mail_up,
    "Findings of the last reconcile that no sync can mend": leave_a_finding,
    "Organizations that pay and that nobody uses": pay_unused,
}
each_need = pytest.mark.parametrize(("what", "plant"), PLANTED.items(), ids=PLANTED.keys())


@pytest.fixture
def calm(cast: Cast) -> Cast:
    """Nothing waits; beside Acme there is an organization of which nothing is to be told."""
    OrganizationFactory.create(name="Beta")
    Standing.objects.update(sync_requested_at=None, synced_at=timezone.now())
    return cast


def needs_of(client: Client) -> dict[str, tuple[str, str, str]]:
    """What the page tells: how many, where they are, and the next step, by what it is."""
    page = client.get(FRONT).content.decode()
    found = re.findall(
        r'<li><a href="([^"]+)">([^<]+): ([^<]+)</a><br>([^<]+)</li>',
        page,
    )
    return {
        unescape(what): (number, unescape(url), unescape(step)) for url, what, number, step in found
    }


@each_need
def test_a_line_says_how_many_what_to_do_and_leads_to_exactly_those(
    calm: Cast, what: str, plant: Callable[[Organization], None]
) -> None:
    plant(calm.acme)
    client = signed_in(calm.dana)
    ((told, (number, url, step)),) = needs_of(client).items()
    assert (told, number) == (what, "1")
    assert step.endswith(".")
    (row,) = client.get(url).context["cl"].result_list
    assert getattr(row, "organization", row) == calm.acme


def test_each_line_is_planted_here() -> None:
    assert [str(need.what) for need in needs.NEEDS] == list(PLANTED)


def test_when_nothing_waits_the_page_says_so(calm: Cast) -> None:
    client = signed_in(calm.dana)
    assert needs_of(client) == {}
    assert "Nothing does at the moment." in client.get(FRONT).content.decode()


def test_what_is_not_pressing_is_not_told(calm: Cast) -> None:
    exempt(calm.acme, days=8)
    standing(calm.acme, sync_requested_at=timezone.now())
    ahead = timezone.now() + HOUR
    Organization.objects.filter(pk=calm.acme.pk).update(locked_from=ahead)
    assert needs_of(signed_in(calm.dana)) == {}
    Organization.objects.filter(pk=calm.acme.pk).update(locked_from=ahead - timedelta(days=2))
    exempt(calm.acme, days=-1)
    assert needs_of(signed_in(calm.dana)) == {}


@each_need
def test_a_scope_is_told_of_its_own(
    calm: Cast, what: str, plant: Callable[[Organization], None]
) -> None:
    beta = Organization.objects.get(name="Beta")
    helper, stranger = make_developer(), make_developer()
    grant(helper, VIEW, calm.acme, by=calm.dana)
    plant(beta)
    assert needs_of(signed_in(helper)) == needs_of(signed_in(stranger)) == {}
    plant(calm.acme)
    # Who is at risk is counted for all of them at once, and not told of a part.
    is_told = plant is not pay_unused
    assert {told: line[0] for told, line in needs_of(signed_in(helper)).items()} == (
        {what: "1"} if is_told else {}
    )
    assert needs_of(signed_in(calm.dana))[what][0] == "2"


def test_many_are_not_counted(calm: Cast) -> None:
    with undone():
        mark = timezone.now() - HOUR
        Standing.objects.bulk_create(
            Standing(organization_id=10**6 + each, sync_requested_at=mark) for each in range(100)
        )
        client = signed_in(calm.dana)
        assert needs_of(client)["Organizations that could not be synced"][0] == "100"
        standing(calm.acme, sync_requested_at=mark)
        assert needs_of(client)["Organizations that could not be synced"][0] == "100 or more"


def test_a_line_more_is_one_in_the_list(calm: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = needs.Need(
        what="Organizations called Acme",
        next_step="Call them.",
        page="admin:orgs_organization_changelist",
        query="slug=acme",
        count=needs.rows_of(Organization, lambda rows, now: rows.filter(slug="acme")),
    )
    monkeypatch.setattr(needs, "NEEDS", [mine])
    url = reverse("admin:orgs_organization_changelist") + "?slug=acme"
    assert needs_of(signed_in(calm.dana)) == {"Organizations called Acme": ("1", url, "Call them.")}


def test_a_second_subscription_at_stripe_is_told_until_it_is_ended(
    payer: Payer, cast: Cast
) -> None:
    what = "Organizations with more than one subscription"
    payer.subscribe()
    payer.sync()
    assert what not in needs_of(signed_in(cast.dana))
    payer.subscribe_at_stripe()
    payer.sync()
    assert needs_of(signed_in(cast.dana))[what][0] == "1"
    newest, *_others = gateway.list_subscriptions(str(payer.organization.stripe_customer_id))
    gateway.cancel_subscription(newest["id"])
    payer.sync()
    assert what not in needs_of(signed_in(cast.dana))


def test_a_price_of_no_tier_is_told_until_it_is_mapped(payer: Payer, cast: Cast) -> None:
    what = "Organizations that pay a price of no tier"
    payer.subscribe()
    TierPrice.objects.update(stripe_price_id=F("pk"))
    payer.sync()
    assert needs_of(signed_in(cast.dana))[what][0] == "1"


# --- What it costs --------------------------------------------------------------------------------


def asked(person: User) -> list[str]:
    """What the lines have the database look for."""
    request = RequestFactory().get(FRONT)
    request.user = person
    return statements(lambda: needs.counted(request, timezone.now()))


def test_the_page_makes_the_same_statements_with_more_to_tell(calm: Cast) -> None:
    def number(client: Client) -> int:
        with CaptureQueriesContext(connection) as made:
            client.get(FRONT)
        return len(made)

    helper = make_developer()
    grant(helper, VIEW, calm.acme, by=calm.dana)
    clients = [signed_in(calm.dana), signed_in(helper)]
    before = [number(client) for client in clients]
    # Session, person and recent actions; a statement for each line; two for the sums.
    assert before[0] == 3 + len(PLANTED) + 2
    for _ in range(2):
        team = OrganizationFactory.create()
        grant(helper, VIEW, team, by=calm.dana)
        for plant in PLANTED.values():
            plant(team)
    assert [number(client) for client in clients] == before


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL's plans depend on the rows.")
def test_sqlite_scans_no_table_for_it(calm: Cast) -> None:
    for sql in asked(calm.dana):
        for line in plan(sql).splitlines():
            assert not line.startswith("SCAN") or "INDEX" in line or "standingtotal" in line, sql


# Each organization has asked for a transfer, which was answered.
ANSWERED = """
INSERT INTO orgs_ownershiptransferrequest (organization_id, reason, created_at, closed_at)
SELECT id, 'Because.', now(), now() FROM orgs_organization
"""
# All of them need all that there is: at once, but that they are marked or not.
EVERYTHING = [
    "UPDATE orgs_ownershiptransferrequest SET closed_at = NULL",
    "UPDATE orgs_organization SET locked_from = now() - interval '1 hour'",
    """
    UPDATE billing_standing SET sync_requested_at = now() - interval '1 hour',
        reason = 'unmapped_price', is_billed_twice = true, exempt_reason = 'Strike.',
        exempt_until = now() + interval '3 days'
    """,
]
NOT_MARKED = [
    """
    UPDATE billing_standing SET sync_requested_at = NULL, reason = 'customer_deleted',
        synced_at = now() - interval '9 days'
    """
]


def write(*texts: str) -> None:
    """Write past the guards, and have PostgreSQL look at what there is."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for text in texts:
            cursor.execute(text)
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")
        cursor.execute("ANALYZE")


@pytest.mark.postgres
def test_with_many_organizations_it_reads_about_a_hundred_rows_for_each_line(cast: Cast) -> None:
    fill(cast)
    for texts in ([ANSWERED], EVERYTHING, NOT_MARKED):
        write(*texts)
        for sql in asked(cast.dana):
            assert rows_read(sql) <= needs.MOST + 1, plan(sql)
    told = Standing.objects.filter(is_billed_twice=True, reason="customer_deleted")
    assert told.count() > needs.MOST
