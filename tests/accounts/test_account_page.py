"""One's own account: the name, the address, and what one logs in with."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import services
from accounts.models import User, UserEventLog
from billing import services as billing
from billing.models import Standing
from tests.cast import PASSWORD, Cast
from tests.payer import Payer
from tests.second_factor import log_in, set_up_second_factor

NEW = "alice@new.example.com"


def account(client: Client) -> str:
    return client.get(reverse("accounts:account")).content.decode()


def prove(client: Client, page: str) -> None:
    """Answer the question that stands before a page."""
    there = reverse("account_reauthenticate") + f"?next={page}"
    client.post(there, {"password": PASSWORD, "next": page})


def ask_for(client: Client, email: str) -> Any:
    form = {"email": email, "action_add": ""}
    return client.post(reverse("account_email"), form, follow=True)


def confirm(client: Client) -> Any:
    code = re.search(r"^([A-Z0-9]{3,}-?[A-Z0-9]{3,})$", str(mail.outbox[-1].body), re.MULTILINE)
    assert code is not None
    page = reverse("account_email_verification_sent")
    return client.post(page, {"code": code[1]}, follow=True)


def change_address(client: Client, email: str = NEW) -> Any:
    prove(client, reverse("account_email"))
    ask_for(client, email)
    return confirm(client)


@contextmanager
def _taken_away(table: str) -> Iterator[None]:
    """Have every statement about a table fail for a while."""
    for old, new in ((table, f"{table}_away"), (f"{table}_away", table)):
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {old} RENAME TO {new}")
        if old == table:
            yield


def test_the_header_leads_to_the_account(cast: Cast) -> None:
    client = log_in(cast.alice)
    assert f'href="{reverse("accounts:account")}"' in client.get("/").content.decode()


def test_the_page_says_what_is_set_up(cast: Cast) -> None:
    page = account(log_in(cast.bob))
    assert "bob@example.com" in page
    assert "Authenticator app" not in page
    secret = set_up_second_factor(cast.bob)
    assert "Authenticator app" in account(log_in(cast.bob, secret))


def test_a_name_is_changed_and_the_log_does_not_hold_it(cast: Cast) -> None:
    client = log_in(cast.bob)
    answer = client.post(reverse("accounts:rename"), {"name": " Robert Brown "}, follow=True)
    assert "Your name is saved." in answer.content.decode()
    cast.bob.refresh_from_db()
    assert cast.bob.name == "Robert Brown"
    line = UserEventLog.objects.get(event="person_renamed")
    assert (line.user, line.actor, line.organization) == (cast.bob, cast.bob, cast.acme)
    assert line.data == {}


def test_the_same_name_again_leaves_no_line(cast: Cast) -> None:
    services.rename_person(person=cast.bob, name="Bob Brown ", by=cast.bob)
    assert not UserEventLog.objects.filter(event="person_renamed").exists()


@pytest.mark.parametrize("name", ["", "  ", "x" * 151])
def test_a_bad_name_is_named_and_changes_nothing(cast: Cast, name: str) -> None:
    answer = log_in(cast.bob).post(reverse("accounts:rename"), {"name": name})
    assert answer.status_code == 422
    assert "name" in answer.context["form"].errors
    cast.bob.refresh_from_db()
    assert cast.bob.name == "Bob Brown"


def test_a_change_of_address_asks_who_it_is(cast: Cast) -> None:
    client = log_in(cast.alice)
    asked = ask_for(client, NEW)
    assert asked.redirect_chain[0][0].startswith(reverse("account_reauthenticate"))
    assert mail.outbox == []
    # Once that is answered, what was asked for is done.
    prove(client, reverse("account_email"))
    assert mail.outbox[-1].to == [NEW]


def test_a_new_address_counts_once_it_is_confirmed(cast: Cast) -> None:
    Standing.objects.update(sync_requested_at=None)
    client = log_in(cast.alice)
    prove(client, reverse("account_email"))
    ask_for(client, "Alice@New.example.com")
    cast.alice.refresh_from_db()
    assert cast.alice.email == "alice@example.com"

    answer = confirm(client)

    assert answer.redirect_chain[-1][0] == reverse("accounts:account")
    cast.alice.refresh_from_db()
    assert cast.alice.email == NEW
    addresses = EmailAddress.objects.filter(user=cast.alice).values("email", "primary", "verified")
    assert list(addresses) == [{"email": NEW, "primary": True, "verified": True}]
    assert Standing.objects.get(organization=cast.acme).sync_requested_at is not None
    # Who had the mailbox until now is told, in case it was somebody else's doing.
    assert mail.outbox[-1].to == ["alice@example.com"]
    assert NEW in mail.outbox[-1].body
    assert "_auth_user_id" in log_in(cast.alice).session
    old = Client()
    old.post(reverse("account_login"), {"login": "alice@example.com", "password": PASSWORD})
    assert "_auth_user_id" not in old.session


def test_the_bills_of_an_owner_follow_to_the_new_address(payer: Payer, cast: Cast) -> None:
    payer.sync()
    change_address(log_in(cast.alice))
    assert billing.sync_due(now=timezone.now()) == (1, 0)
    assert payer.customers()[0]["email"] == NEW


def test_a_change_that_fails_halfway_changes_nothing(cast: Cast) -> None:
    client = log_in(cast.alice)
    prove(client, reverse("account_email"))
    ask_for(client, NEW)
    client.raise_request_exception = False
    # What must follow cannot be marked: there is nobody to mark.
    with _taken_away("billing_standing"):
        assert confirm(client).status_code in {500, 503}
    cast.alice.refresh_from_db()
    assert cast.alice.email == "alice@example.com"
    assert EmailAddress.objects.get(user=cast.alice).email == "alice@example.com"


@pytest.mark.parametrize("taken", ["bob@example.com", "BOB@example.com"])
def test_an_address_of_somebody_elses_is_not_told_and_not_given(cast: Cast, taken: str) -> None:
    client = log_in(cast.alice)
    prove(client, reverse("account_email"))
    free = ask_for(client, NEW)
    other = ask_for(log_in_and_prove(cast.alice), taken)
    assert other.redirect_chain == free.redirect_chain
    assert words(other).replace(taken.lower(), "") == words(free).replace(NEW, "")
    # Only who reads Bob's mail learns of it, and even with the code it is refused.
    assert mail.outbox[-1].to == ["bob@example.com"]


def log_in_and_prove(person: User) -> Client:
    client = log_in(person)
    prove(client, reverse("account_email"))
    return client


def words(answer: Any) -> str:
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", answer.content.decode())


def test_with_the_code_an_address_of_somebody_elses_is_refused(cast: Cast) -> None:
    client = log_in_and_prove(cast.alice)
    ask_for(client, "bob@example.com")
    confirm(client)
    cast.alice.refresh_from_db()
    assert cast.alice.email == "alice@example.com"


def test_a_new_password_ends_other_sessions_and_is_told_by_mail(cast: Cast) -> None:
    client, elsewhere = log_in(cast.bob), log_in(cast.bob)
    form = {"oldpassword": PASSWORD, "password1": "another good one"}
    form["password2"] = form["password1"]
    answer = client.post(reverse("account_change_password"), form, follow=True)
    assert answer.redirect_chain[-1][0] == reverse("accounts:account")
    assert elsewhere.get(reverse("accounts:account")).status_code == 302
    assert mail.outbox[-1].to == ["bob@example.com"]
    assert "password has been changed" in mail.outbox[-1].body
    assert "testserver" not in mail.outbox[-1].subject


@pytest.mark.parametrize("bad", ["short1234", "1234567890", "bob@example.com", "bob brown 1"])
def test_a_weak_password_is_refused_where_it_is_changed(cast: Cast, bad: str) -> None:
    form = {"oldpassword": PASSWORD, "password1": bad, "password2": bad}
    answer = log_in(cast.bob).post(reverse("account_change_password"), form)
    assert "password1" in answer.context["form"].errors
