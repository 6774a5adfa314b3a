"""Every URL under an impersonation: it looks at what IMPERSONATION_SHOWS names, and no more.

A URL that is new is refused; these tests ask nobody for a row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import NoReverseMatch, path, reverse

from accounts.models import UserEventLog
from config.urls import urlpatterns as product_urls
from orgs.models import Organization
from tests.cast import Cast
from tests.impersonating import impersonating, who_is
from tests.kept import put_back
from tests.matrix import (
    PAGES,
    Scene,
    closed,
    free,
    in_grace,
    lapsed,
    make_scene,
    names_of,
    outcome,
    past_due,
    undone,
)
from tests.sandbox_process import SandboxProcess

STOP, LOG_OUT = "impersonation:stop", "account_logout"
OF_A_ROLE = ("orgs:change_role", "orgs:delete_role")
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")


def new_page(request: HttpRequest) -> HttpResponse:
    return HttpResponse("It did something.")


urlpatterns = [*product_urls, path("new/", new_page), path("newer/", new_page, name="newer")]


@pytest.fixture
def scene(stripe_account: SandboxProcess) -> Scene:
    return put_back(make_scene)


def address_of(name: str) -> str:
    for arguments in ([], ["x"], ["x", "y"], [1], [1, 1], ["orgs"]):
        try:
            return reverse(name, args=arguments)
        except NoReverseMatch:
            continue
    return reverse(name, args=["6f1c2f0e-6a1f-4b43-9a2f-0d1a3c2b4e5f"])


def code_of(answer: Any) -> str:
    """The code of a refusal. It is asked for as JSON, which a page is ten times as dear as."""
    return str(answer.json()["error"]["code"]) if answer.status_code == 403 else outcome(answer)


AS_JSON = {"Accept": "application/json"}


def test_nothing_unsafe_does_anything_at_any_url(cast: Cast) -> None:
    client = impersonating(cast.dana, cast.alice)
    names = names_of() - {STOP, LOG_OUT}
    assert len(names) > 150
    before = UserEventLog.objects.count()
    tried = [
        (name, method)
        for name in sorted(names)
        for method in (UNSAFE[:1] if name.startswith("admin:") else UNSAFE)
    ]
    met = {
        code_of(client.generic(method, address_of(name), headers=AS_JSON)) for name, method in tried
    }
    assert met == {"impersonating"}
    refusals = UserEventLog.objects.order_by("pk")[before:]
    assert [(line.data["page"], line.data["method"]) for line in refusals] == tried
    assert {line.event for line in refusals} == {"impersonation_refused"}
    assert who_is(client) == cast.alice.pk


@pytest.mark.parametrize("kind", ["of none", "member", "role admin", "owner"])
def test_no_form_of_ours_that_is_filled_in_well_does_anything(scene: Scene, kind: str) -> None:
    person = scene.people[kind]
    assert person is not None
    client = impersonating(scene.cast.dana, person)
    forms = [page for page in PAGES if page.method != "GET" and page.name != STOP]
    met = {page.key: outcome(page.open(client, scene)) for page in forms}
    assert met == {page.key: "impersonating" for page in forms}


def test_what_is_not_shown_is_refused_to_those_who_open_it(cast: Cast) -> None:
    client = impersonating(cast.dana, cast.alice)
    hidden = names_of() - settings.IMPERSONATION_SHOWS - {STOP}
    met = {name: code_of(client.get(address_of(name), headers=AS_JSON)) for name in hidden}
    assert met == dict.fromkeys(hidden, "impersonating")


@pytest.mark.parametrize("kind", ["of none", "member", "role admin", "owner"])
def test_what_is_shown_is_what_the_person_sees_with_the_banner_and_writes_nothing(
    scene: Scene, kind: str
) -> None:
    person = scene.people[kind]
    assert person is not None
    free(scene.cast.acme)
    theirs = scene.client(kind)
    client = impersonating(scene.cast.dana, person)
    addresses: dict[str, str] = {
        page.name: reverse(page.name, args=page.arguments(scene)) for page in PAGES
    }
    for name in settings.IMPERSONATION_SHOWS:
        address = addresses.get(name) or reverse(name)
        with (
            undone(client),
            CaptureQueriesContext(
                connection,
            ) as statements,
        ):
            answer: Any = client.get(address)
        with undone(theirs):
            assert outcome(answer) == outcome(theirs.get(address)), name
        if answer.status_code != 302:
            assert "Impersonated by Dana Diaz" in answer.content.decode(), name
        written = [
            each["sql"]
            for each in statements.captured_queries
            if each["sql"].split()[0] in {"INSERT", "UPDATE", "DELETE"}
        ]
        assert written == [], name


@pytest.mark.parametrize("kind", ["member", "role billing_viewer", "role admin"])
@pytest.mark.parametrize("standing", [in_grace, past_due, lapsed, closed])
def test_whatever_the_standing_the_developer_gets_in(
    scene: Scene, standing: Callable[[Organization], None], kind: str
) -> None:
    person = scene.people[kind]
    assert person is not None
    standing(scene.cast.acme)
    client = impersonating(scene.cast.dana, person)
    for name in settings.IMPERSONATION_SHOWS - {"orgs:remove_member", *OF_A_ROLE}:
        answer: Any = client.get(reverse(name))
        assert outcome(answer) not in {"LOCK", "CLOSED", "impersonating", "login"}, name
        assert "Impersonated by Dana Diaz" in answer.content.decode(), name


def test_the_names_that_are_shown_are_urls() -> None:
    assert names_of() >= settings.IMPERSONATION_SHOWS


@pytest.mark.urls(__name__)
@pytest.mark.parametrize("url", ["/new/", "/newer/"])
def test_a_new_url_is_refused_until_somebody_says_that_it_is_shown(cast: Cast, url: str) -> None:
    assert Client().get(url).status_code == 200
    client = impersonating(cast.dana, cast.alice)
    for method in ("GET", "HEAD", "OPTIONS", *UNSAFE):
        assert client.generic(method, url).status_code == 403
