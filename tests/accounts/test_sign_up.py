"""Sign-up: the person, the organization and its owner at once, or nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from accounts import services as accounts
from accounts.models import User, UserEventLog
from billing.models import Standing
from orgs.models import Organization
from tests.cast import PASSWORD, Cast, PersonFactory

FORM = {
    "name": "Alice Adams",
    "organization_name": "Acme",
    "email": "Alice@Example.com",
    "password1": PASSWORD,
}


def sign_up(client: Client, **fields: str) -> Any:
    return client.post(reverse("account_signup"), FORM | fields, follow=True)


def code_in(body: Any) -> str:
    match = re.search(r"^\s*([A-Z0-9]{3,}-?[A-Z0-9]{3,})\s*$", str(body), re.MULTILINE)
    assert match is not None, body
    return match.group(1)


def test_signing_up_founds_an_organization_with_its_owner(client: Client, db: None) -> None:
    sign_up(client)
    alice = User.objects.get()
    acme = Organization.objects.get()
    assert (alice.email, alice.organization, acme.owner) == ("alice@example.com", acme, alice)
    assert acme.slug == "acme"
    assert Standing.objects.get(organization=acme).sync_requested_at is not None
    line = UserEventLog.objects.get(event="organization_founded")
    assert (line.event, line.user, line.organization) == ("organization_founded", alice, acme)


def test_the_address_is_confirmed_by_the_code_in_the_mail(client: Client, db: None) -> None:
    sign_up(client)
    assert mail.outbox[0].to == ["alice@example.com"]
    answer = client.post(
        reverse("account_email_verification_sent"),
        {"code": code_in(mail.outbox[0].body)},
        follow=True,
    )
    assert answer.redirect_chain[-1][0] == reverse("home")
    assert answer.context["user"].email == "alice@example.com"
    assert "Acme" in answer.content.decode()


def test_a_wrong_code_confirms_nothing(client: Client, db: None) -> None:
    sign_up(client)
    client.post(reverse("account_email_verification_sent"), {"code": "WRONG1"})
    assert client.get(reverse("orgs:team")).status_code == 302


@pytest.mark.parametrize("spelling", ["alice@example.com", "ALICE@example.COM"])
def test_a_taken_address_discloses_nothing_and_founds_nothing(
    client: Client, cast: Cast, spelling: str
) -> None:
    fresh = sign_up(Client(), email="new@example.com", organization_name="New")
    mail.outbox.clear()
    before = (User.objects.count(), Organization.objects.count())

    taken = sign_up(client, email=spelling, organization_name="Evil")

    assert (User.objects.count(), Organization.objects.count()) == before
    assert taken.redirect_chain == fresh.redirect_chain
    assert taken.status_code == fresh.status_code
    assert _without_address(taken, spelling) == _without_address(fresh, "new@example.com")
    # The person who has the address is told, and nobody else.
    assert [message.to for message in mail.outbox] == [["alice@example.com"]]


def _without_address(response: Any, address: str) -> str:
    text = response.content.decode().replace(address, "").replace(address.lower(), "")
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", text)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "not an address"),
        ("organization_name", ""),
        ("organization_name", "x"),
        ("organization_name", "x" * 121),
        ("name", ""),
        ("password1", "12345678"),
        ("password1", "alice@example.com"),
        ("password1", "alice adams"),
        ("password1", "nine char"),
    ],
)
def test_bad_input_is_named_and_founds_nothing(
    client: Client, db: None, field: str, value: str
) -> None:
    answer = sign_up(client, **{field: value})
    assert field in answer.context["form"].errors
    assert not User.objects.exists()
    assert not Organization.objects.exists()


def test_a_failure_while_founding_leaves_no_person_behind(
    client: Client, transactional_db: None
) -> None:
    client.raise_request_exception = False
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE billing_standing RENAME TO billing_standing_gone")
    try:
        answer = sign_up(client)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE billing_standing_gone RENAME TO billing_standing")
    assert answer.status_code in {500, 503}
    assert not User.objects.exists()
    assert not Organization.objects.exists()


def test_two_sign_ups_with_one_address_are_one_person(db: None) -> None:
    PersonFactory.create(email="alice@example.com")
    with pytest.raises(accounts.AddressTaken):
        PersonFactory.create(email="ALICE@example.com")


@pytest.mark.parametrize(
    "attack",
    [
        lambda: User.objects.create(email="ALICE@EXAMPLE.COM"),
        lambda: User.objects.filter(email="bob@example.com").update(email="Alice@Example.com"),
        lambda: User.objects.bulk_create([User(email="aLICE@example.com")]),
        lambda: _execute(
            "UPDATE accounts_user SET email = 'ALICE@example.com' WHERE email = 'bob@example.com'"
        ),
    ],
    ids=["create", "update", "bulk_create", "raw"],
)
def test_the_database_refuses_a_second_person_of_an_address(
    cast: Cast, attack: Callable[[], object]
) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        attack()


def _execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)
