"""What is seen during an impersonation: locked teams, and the banner wherever one gets."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import path, reverse
from django.utils import timezone

from accounts.impersonation import impersonator_id
from config.urls import urlpatterns as product_urls
from orgs.models import Organization
from orgs.permissions import VIEW
from tests.cast import Cast, lock, signed_in
from tests.impersonating import (
    begin,
    impersonating,
    stop,
)
from tests.second_factor import prove
from tests.staff import grant, make_developer


def behind(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(impersonator_id(request)))


def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError


urlpatterns = [
    *product_urls,
    path("behind/", behind, name="behind"),
    path("broken/", broken, name="broken"),
]
handler500 = "config.errors.server_error"


@pytest.fixture
def dana(cast: Cast) -> Client:
    return prove(cast.dana)


@pytest.mark.urls(__name__)
def test_each_request_tells_the_log_who_is_behind_it(
    dana: Client, cast: Cast, settings: Any
) -> None:
    settings.IMPERSONATION_SHOWS = {"behind"}
    assert Client().get("/behind/").content == b"None"
    assert dana.get("/behind/").content == b"None"
    begin(dana, cast.bob)
    assert dana.get("/behind/").content == str(cast.dana.pk).encode()
    stop(dana)
    assert dana.get("/behind/").content == b"None"


def test_a_locked_team_is_open_to_the_developer_and_stays_locked_to_the_person(
    cast: Cast,
) -> None:
    bob = signed_in(cast.bob)
    lock(cast.acme)
    dana = impersonating(cast.dana, cast.bob)
    for name in ("home", "orgs:team", "orgs:roles"):
        assert bob.get(reverse(name)).status_code == 403
        answer = dana.get(reverse(name))
        assert answer.status_code == 200
        page = answer.content.decode()
        assert "Impersonated by" in page
        assert "This person is kept out" in page
        assert "Contact Alice Adams to resolve billing." in page
        assert reverse("billing:portal") not in page
    Organization.objects.update(closed_at=timezone.now())
    assert dana.get(reverse("orgs:team")).status_code == 200


@pytest.mark.urls(__name__)
@pytest.mark.parametrize(
    ("url", "status"), [("/no/such/page/", 404), ("/broken/", 500), ("/admin/", 403)]
)
def test_error_pages_have_the_banner_and_the_way_back(
    dana: Client, cast: Cast, settings: Any, url: str, status: int
) -> None:
    settings.DEBUG = False
    settings.IMPERSONATION_SHOWS = {"broken"}
    begin(dana, cast.bob)
    dana.raise_request_exception = False
    answer = dana.get(url)
    page = answer.content.decode()
    assert answer.status_code == status
    assert "Impersonated by Dana Diaz" in page
    assert f'action="{reverse("impersonation:stop")}"' in page
    assert "csrfmiddlewaretoken" in page


@pytest.mark.urls(__name__)
def test_an_error_page_of_somebody_else_has_no_banner_and_no_cookie(settings: Any) -> None:
    answer = Client(raise_request_exception=False).get("/broken/")
    assert answer.status_code == 500
    assert "Impersonated" not in answer.content.decode()
    assert not answer.cookies


def test_a_page_of_somebody_else_is_not_kept_for_the_browsers_way_back(
    dana: Client, cast: Cast
) -> None:
    begin(dana, cast.bob)
    assert "no-store" in dana.get(reverse("home"))["Cache-Control"]


@pytest.mark.parametrize(("is_scoped", "statements"), [(False, 1), (True, 4)])
def test_what_it_adds_to_a_page_is_few_statements(
    cast: Cast, is_scoped: bool, statements: int
) -> None:
    """The developer; and, of staff who do not have everything, their permissions and scope."""
    by = cast.dana
    if is_scoped:
        by = make_developer("accounts.impersonate_user")
        grant(by, VIEW, cast.acme, by=cast.dana)
    client, bob = impersonating(by, cast.bob), signed_in(cast.bob)
    counted = []
    for each in (bob, client):
        with CaptureQueriesContext(connection) as found:
            assert each.get(reverse("home")).status_code == 200
        counted.append(len(found))
    assert counted[1] - counted[0] == statements
