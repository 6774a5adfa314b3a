"""The owner's copy of what we hold of an organization, with billing's part."""

from __future__ import annotations

import json
import tracemalloc
from collections import deque
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import exports
from accounts.events import Event
from accounts.exports import written
from accounts.models import UserEventLog
from billing import mirror
from billing.models import Standing, Status
from billing.notices import Kind, notices_of
from billing.services import payer_mails
from orgs import services
from orgs.models import Organization, Role
from orgs.organization_export import NOT_OF_ORGANIZATION, ORGANIZATION
from tests.accounts.test_export import keys_to, prove_again, read
from tests.billing.situations import EACH
from tests.billing.stripe_objects import NOW, at, moment, subscription
from tests.cast import Cast, OrganizationFactory, add_member, lock
from tests.everything_about import make_cleo
from tests.second_factor import log_in

pytestmark = pytest.mark.django_db

URL = "/organization/export/"


@pytest.fixture
def alices(cast: Cast) -> Client:
    """Alice's browser, in which she has just proved again who she is."""
    client = log_in(cast.alice)
    prove_again(client)
    return client


def pay(organization: Organization) -> None:
    """Write what a sync would of a customer with a subscription and an invoice."""
    mirror.write_customer({"id": "cus_acme", "name": "Acme", "email": "alice@example.com"})
    Organization.objects.filter(pk=organization.pk).update(stripe_customer="cus_acme")
    mirror.write_subscriptions("cus_acme", [subscription("active", id="sub_acme")])
    invoice = {
        "id": "in_1",
        "number": "ACME-1",
        "status": "paid",
        "currency": "eur",
        "created": at(-10),
        "total": 1900,
        "amount_due": 1900,
        "amount_paid": 1900,
        "amount_remaining": 0,
    }
    mirror.write_invoices("cus_acme", [invoice])
    Standing.objects.filter(organization=organization).update(status=Status.CURRENT)
    payer_mails.note(organization, notices_of(EACH[Kind.RECEIPT], NOW), NOW)


def test_every_key_to_an_organization_is_told_or_left_out_for_a_reason() -> None:
    """A new model that refers to organizations fails here until somebody has said what it tells."""
    told = {key for part in ORGANIZATION for key in part.keys}
    assert told | NOT_OF_ORGANIZATION.keys() == keys_to(Organization).keys()
    assert not told & NOT_OF_ORGANIZATION.keys()
    assert all(NOT_OF_ORGANIZATION.values())


def test_each_part_tells_something_of_an_organization_that_has_everything(cast: Cast) -> None:
    feathers = make_cleo(cast).owned_organizations.get()
    Role.objects.create(key="own", name="Own", organization=feathers)
    pay(feathers)
    feathers.refresh_from_db()
    for name, field in keys_to(Organization).items():
        if name not in NOT_OF_ORGANIZATION:
            theirs = field.model._default_manager.filter(**{field.name: feathers})
            assert theirs.exists(), name
    for part in ORGANIZATION:
        assert list(part.tell(feathers)), part.name


def test_the_owner_downloads_the_organization(cast: Cast, alices: Client) -> None:
    pay(cast.acme)
    gone = add_member(cast.acme)
    services.soft_delete(user=gone, by=cast.dana, reason="Left.")
    outsider = add_member(OrganizationFactory.create())
    UserEventLog.objects.create(
        event=Event.LOGIN, user=cast.bob, organization=cast.acme, ip_address="192.0.2.1"
    )
    assert "Data of Acme" in alices.get(URL).content.decode()
    answer = alices.post(URL)
    assert 'filename="holdfast-acme-' in answer["Content-Disposition"]
    told = read(answer)
    assert told["organization"]["owner_id"] == cast.alice.pk
    assert {each["email"] for each in told["people"]} == {cast.alice.email, cast.bob.email}
    text = json.dumps(told)
    assert outsider.email not in text
    assert "192.0.2.1" not in text
    assert told["billing"]["status"] == "current"
    assert told["billing"]["stripe_customers"] == ["cus_acme"]
    (invoice,) = told["invoices"]
    assert (invoice["total"], invoice["amount_paid"], invoice["currency"]) == (1900, 1900, "eur")
    assert invoice["created"] == moment(-10).isoformat().replace("+00:00", "Z")
    (sub,) = told["subscriptions"]
    assert (sub["id"], sub["status"]) == ("sub_acme", "active")
    line = UserEventLog.objects.get(event="organization_exported")
    assert (line.user, line.actor, line.organization) == (None, cast.alice, cast.acme)
    assert [each["kind"] for each in told["mails_about_billing"]] == ["receipt"]
    assert told["events"][-1]["event"] == "organization_exported"


def test_the_owner_of_a_locked_or_closed_one_downloads_it(cast: Cast, alices: Client) -> None:
    lock(cast.acme)
    assert read(alices.post(URL))["organization"]["slug"] == "acme"
    services.close_organization(organization=cast.acme, by=cast.alice, now=timezone.now())
    assert read(alices.post(URL))["organization"]["closed_at"] is not None


def test_a_member_is_told_who_can_and_logs_nothing(cast: Cast) -> None:
    client = log_in(cast.bob)
    prove_again(client)
    for answer in (client.get(URL), client.post(URL)):
        assert answer.status_code == 403
        page = answer.content.decode()
        assert "Alice Adams" in page
        assert reverse("accounts:export") in page
    with pytest.raises(services.NotOwner):
        services.export_organization(organization=cast.acme, by=cast.bob, now=timezone.now())
    assert not UserEventLog.objects.filter(event="organization_exported").exists()


def test_the_owner_is_asked_first_whether_it_is_them(cast: Cast) -> None:
    asked = log_in(cast.alice).post(URL)
    assert asked["Location"].startswith(reverse("account_reauthenticate"))
    assert not UserEventLog.objects.filter(event="organization_exported").exists()


def memory_of_an_export(organization: Organization) -> int:
    """The most that was held, in bytes, while each piece was sent and forgotten."""
    tracemalloc.start()
    deque(written(ORGANIZATION, organization, timezone.now()), maxlen=0)
    _now, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


def test_memory_stays_flat_however_long_the_log_is(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "CHUNK", 100)

    def grow(lines: int) -> None:
        line: dict[str, Any] = {"event": "seen", "organization": cast.acme, "data": {"x": "y" * 99}}
        UserEventLog.objects.bulk_create([UserEventLog(**line) for _ in range(lines)])

    grow(300)
    memory_of_an_export(cast.acme)
    few = memory_of_an_export(cast.acme)
    grow(1_500)
    many = memory_of_an_export(cast.acme)
    assert many < few * 1.5
