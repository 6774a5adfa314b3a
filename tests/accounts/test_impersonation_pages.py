"""What is seen during an impersonation: locked teams, and the banner wherever one gets."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path, reverse
from django.utils import timezone

from accounts.impersonation import impersonator_id
from config.urls import urlpatterns as product_urls
from orgs.models import Organization
from tests.cast import Cast, lock, signed_in
from tests.impersonating import (
    begin,
    impersonating,
    stop,
)
from tests.second_factor import prove


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
    for page in ("home", "orgs:team", "orgs:roles"):
        assert bob.get(reverse(page)).status_code == 403
        answer = dana.get(reverse(page))
        assert answer.status_code == 200
        assert "Impersonated by" in answer.content.decode()
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
    stop(dana)
    assert "Cache-Control" not in dana.get(reverse("home"))
