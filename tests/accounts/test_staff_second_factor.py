"""Staff, the admin and the second factor; and the first of them, whom createsuperuser makes."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import Settings

from accounts.models import User
from tests.cast import PASSWORD, Cast
from tests.second_factor import log_in, set_up_as_a_person, set_up_second_factor
from tests.staff import make_developer

ADMIN = "/admin/"
TOLD = "Staff need a second factor."


@pytest.fixture
def needed(settings: Settings) -> None:
    """As in production."""
    settings.SECOND_FACTOR_NEEDED_BY = "staff"


@pytest.fixture
def root(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[User]:
    """Whom `createsuperuser` makes."""
    monkeypatch.setitem(os.environ, "DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    call_command("createsuperuser", interactive=False, email="Root@example.com", verbosity=0)
    yield User.objects.get(email="root@example.com")


def test_staff_without_a_second_factor_are_led_to_set_one_up(cast: Cast, needed: None) -> None:
    client = log_in(cast.dana)
    answer = client.get(ADMIN, follow=True)
    assert answer.redirect_chain[-1][0] == reverse("mfa_index")
    assert TOLD in answer.content.decode()
    set_up_as_a_person(client)
    assert client.get(ADMIN).status_code == 200


def test_in_development_it_is_not_demanded(cast: Cast) -> None:
    assert log_in(cast.dana).get(ADMIN).status_code == 200


@pytest.mark.parametrize("page", ["accounts_user_changelist", "autocomplete", "jsi18n"])
def test_no_page_of_the_admin_opens_without_it(cast: Cast, needed: None, page: str) -> None:
    answer = log_in(cast.dana).get(reverse(f"admin:{page}"))
    assert answer.status_code == 302


def test_nothing_can_be_sent_to_the_admin_without_it(cast: Cast, needed: None) -> None:
    client = log_in(cast.dana)
    page = reverse("admin:accounts_user_change", args=[cast.bob.pk])
    client.post(page, {"name": "Changed"})
    cast.bob.refresh_from_db()
    assert cast.bob.name == "Bob Brown"


def test_staff_with_a_second_factor_get_in_by_it(cast: Cast, needed: None) -> None:
    client = log_in(cast.dana, set_up_second_factor(cast.dana))
    assert client.get(ADMIN).status_code == 200


def test_switching_it_off_closes_the_admin_again(cast: Cast, needed: None) -> None:
    client = log_in(cast.dana, set_up_second_factor(cast.dana))
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    client.post(reverse("mfa_deactivate_totp"))
    assert client.get(ADMIN).status_code == 302


def test_the_password_alone_is_no_way_in_for_who_has_one(cast: Cast, needed: None) -> None:
    set_up_second_factor(cast.dana)
    client = Client()
    client.post(reverse("account_login"), {"login": cast.dana.email, "password": PASSWORD})
    assert client.get(ADMIN, follow=True).redirect_chain[-1][0].startswith("/accounts/")


def test_the_admins_own_log_in_lets_nobody_in(cast: Cast) -> None:
    client = Client()
    form = {"username": cast.dana.email, "password": PASSWORD, "next": ADMIN}
    answer = client.post(reverse("admin:login"), form)
    assert answer.headers["Location"].startswith(reverse("account_login"))
    assert "_auth_user_id" not in client.session


def test_the_admins_own_page_for_passwords_leads_to_the_products(cast: Cast) -> None:
    client = log_in(cast.dana)
    answer = client.get(reverse("admin:password_change"))
    assert answer.headers["Location"] == reverse("account_change_password")


def test_whether_there_is_one_has_an_index_of_people_to_be_read_from(db: None) -> None:
    """Which of them is used, the planner decides by how many there are."""
    with connection.cursor() as cursor:
        keys = connection.introspection.get_constraints(cursor, Authenticator._meta.db_table)
    assert any(each["index"] and each["columns"] == ["user_id"] for each in keys.values())


def test_members_are_told_that_the_admin_is_for_staff(cast: Cast, needed: None) -> None:
    answer = log_in(cast.bob).get(ADMIN, follow=True)
    assert answer.status_code == 403
    assert TOLD not in answer.content.decode()


def test_members_need_none_where_only_staff_do(cast: Cast, needed: None) -> None:
    assert log_in(cast.bob).get(reverse("home")).status_code == 200


def test_developers_who_are_no_staff_need_none(cast: Cast, needed: None) -> None:
    developer = make_developer(is_staff=False, password=PASSWORD)
    assert log_in(developer).get(reverse("home")).status_code == 200


def test_whom_createsuperuser_makes_logs_in_to_the_admin(root: User) -> None:
    client = log_in(root)
    assert mail.outbox == []
    assert client.get(ADMIN).status_code == 200


def test_in_production_the_first_log_in_leads_to_the_second_factor(
    root: User, needed: None
) -> None:
    client = Client()
    led_to = client.get(ADMIN, follow=True).redirect_chain[-1][0]
    answer = client.post(led_to, {"login": root.email, "password": PASSWORD}, follow=True)
    assert answer.redirect_chain[-1][0] == reverse("mfa_index")
    set_up_as_a_person(client)
    assert client.get(ADMIN).status_code == 200


def test_it_adds_no_statement_to_a_page_of_the_admin(cast: Cast, settings: Settings) -> None:
    client = log_in(cast.dana, set_up_second_factor(cast.dana))
    counts = set()
    for needed_by in ("nobody", "staff", "everybody"):
        settings.SECOND_FACTOR_NEEDED_BY = needed_by
        with CaptureQueriesContext(connection) as captured:
            assert client.get(reverse("admin:accounts_user_changelist")).status_code == 200
        counts.add(len(captured))
    assert len(counts) == 1
