"""The gate on every page: what an open session meets when billing lapses."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.sessions.backends.cache import SessionStore as CacheSession
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path, reverse
from pytest_django import DjangoAssertNumQueries

from config.urls import urlpatterns as product_urls
from orgs.models import Organization
from tests.cast import Cast, lock, signed_in


def quiet(request: HttpRequest) -> HttpResponse:
    """A view that itself queries nothing, and asks who is there."""
    return HttpResponse(str(request.user))


urlpatterns = [*product_urls, path("quiet/", quiet)]


PAGES = ["home", "orgs:team", "billing:overview", "account_change_password", "admin:index"]


@pytest.mark.parametrize("page", PAGES)
def test_an_open_session_of_a_member_is_stopped_at_its_next_request(cast: Cast, page: str) -> None:
    client = signed_in(cast.bob)
    lock(cast.acme)
    answer = client.get(reverse(page))
    assert answer.status_code == 403
    assert "Contact Alice Adams to resolve billing." in answer.content.decode()


def test_it_is_in_again_at_its_next_request_after_payment(cast: Cast) -> None:
    client = signed_in(cast.bob)
    lock(cast.acme)
    assert client.get(reverse("orgs:team")).status_code == 403
    Organization.objects.update(locked_from=None)
    assert client.get(reverse("orgs:team")).status_code == 200


def test_forms_are_refused_like_pages(cast: Cast) -> None:
    lock(cast.acme)
    assert signed_in(cast.bob).post(reverse("orgs:invite"), {}).status_code == 403


def test_a_refused_member_can_log_out(cast: Cast) -> None:
    client = signed_in(cast.bob)
    lock(cast.acme)
    client.post(reverse("account_logout"))
    assert "_auth_user_id" not in client.session


def test_the_lock_screen_has_a_way_out(cast: Cast) -> None:
    lock(cast.acme)
    page = signed_in(cast.bob).get(reverse("home")).content.decode()
    assert f'action="{reverse("account_logout")}"' in page


def test_callers_that_prefer_json_get_a_stable_code(cast: Cast) -> None:
    lock(cast.acme)
    answer = signed_in(cast.bob).get(reverse("home"), headers={"accept": "application/json"})
    assert answer.status_code == 403
    assert json.loads(answer.content) == {
        "error": {
            "code": "organization_locked",
            "message": "Your organization is past due. Contact Alice Adams to resolve billing.",
        }
    }


@pytest.mark.parametrize("page", ["home", "orgs:team", "billing:overview"])
def test_the_owner_gets_in_under_a_banner_with_the_way_to_pay(cast: Cast, page: str) -> None:
    lock(cast.acme)
    answer = signed_in(cast.alice).get(reverse(page))
    assert answer.status_code == 200
    text = answer.content.decode()
    assert "Your organization is past due" in text
    assert "Update payment info" in text


def test_developers_always_get_in(cast: Cast) -> None:
    lock(cast.acme)
    assert signed_in(cast.dana).get(reverse("home")).status_code == 200


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("payment_failed", "Your organization is past due."),
        ("unpaid", "Your organization is past due."),
        ("paused", "Your organization&#x27;s plan is paused."),
        ("no_subscription", "Your organization has no plan."),
        ("customer_deleted", "Your organization&#x27;s billing needs attention."),
    ],
)
def test_each_reason_has_its_words(cast: Cast, reason: str, words: str) -> None:
    lock(cast.acme, reason=reason)
    assert words in signed_in(cast.bob).get(reverse("home")).content.decode()


@pytest.mark.urls(__name__)
def test_a_members_request_makes_two_statements_and_the_gate_none(
    cast: Cast, settings: Any, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = signed_in(cast.bob)
    # The session; the person with their organization and its tier.
    with django_assert_num_queries(2):
        assert client.get("/quiet/").content == b"bob@example.com"
    settings.MIDDLEWARE = [each for each in settings.MIDDLEWARE if "AccessMiddleware" not in each]
    ungated = signed_in(cast.bob)
    with django_assert_num_queries(2):
        assert ungated.get("/quiet/").content == b"bob@example.com"


@pytest.mark.urls(__name__)
def test_with_cached_sessions_it_makes_one_statement(
    cast: Cast, settings: Any, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    settings.SESSION_ENGINE = CacheSession.__module__
    client = signed_in(cast.bob)
    with django_assert_num_queries(1):
        client.get("/quiet/")


def test_pages_without_a_person_are_never_gated(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    lock(cast.acme)
    with django_assert_num_queries(0):
        assert Client().get(reverse("account_login")).status_code == 200
    assert Client().get(reverse("home")).status_code == 200
