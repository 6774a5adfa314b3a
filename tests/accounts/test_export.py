"""A person's copy of what we hold about them: all of it, no secret, and nobody else's."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.db.models import Field, Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts import exits, person_export
from accounts import services as accounts
from accounts.events import Event
from accounts.exports import NOT_OF_PERSON, PERSON
from accounts.models import User, UserEventLog
from tests.cast import PASSWORD, Cast, add_member, lock
from tests.everything_about import EMAIL, OTHER_EMAIL, make_cleo
from tests.second_factor import log_in

pytestmark = pytest.mark.django_db

URL = "/account/export/"


def keys_to(target: type[Model]) -> dict[str, Any]:
    """Every key of every model to this one, by its name."""
    return {
        f"{model._meta.label}.{field.name}": field
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.get_fields()
        if isinstance(field, Field) and field.related_model is target
    }


def prove_again(client: Client) -> Any:
    return client.post(
        reverse("account_reauthenticate"), {"password": PASSWORD, "next": URL}, follow=True
    )


def read(answer: Any) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(b"".join(answer.streaming_content))
    return told


@pytest.fixture
def bobs(cast: Cast) -> Client:
    """Bob's browser, in which he has just proved again who he is."""
    client = log_in(cast.bob)
    prove_again(client)
    return client


def test_every_key_to_a_person_is_told_or_left_out_for_a_reason() -> None:
    """A new model that refers to people fails here until somebody has said what it tells them."""
    told = {key for part in PERSON for key in part.keys}
    assert told | NOT_OF_PERSON.keys() == keys_to(User).keys()
    assert not told & NOT_OF_PERSON.keys()
    assert all(NOT_OF_PERSON.values())


def test_every_column_of_a_person_is_told_or_left_out_for_a_reason() -> None:
    columns = {field.name for field in User._meta.concrete_fields}
    left_out = {name.removesuffix("_id") for name in person_export.NOT_TOLD}
    assert {name.removesuffix("_id") for name in columns} == left_out | set(person_export.FIELDS)


def test_each_part_tells_something_of_somebody_who_has_everything(cast: Cast) -> None:
    cleo = make_cleo(cast)
    for name, field in keys_to(User).items():
        if name not in NOT_OF_PERSON:
            assert field.model._default_manager.filter(**{field.name: cleo}).exists(), name
    for part in PERSON:
        told = part.tell(cleo)
        assert list(told), part.name


def test_the_page_asks_first_whether_it_is_them(cast: Cast) -> None:
    asked = log_in(cast.bob).get(URL)
    assert asked.status_code == 302
    assert asked["Location"].startswith(reverse("account_reauthenticate"))


def test_the_file_is_whole_json_with_no_secret(cast: Cast, bobs: Client) -> None:
    assert "Download it" in bobs.get(URL).content.decode()
    answer = bobs.post(URL)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    assert re.fullmatch(
        r'attachment; filename="holdfast-account-\d{4}-\d\d-\d\d\.json"',
        answer["Content-Disposition"],
    )
    assert answer["Cache-Control"] == "no-store"
    told = read(answer)
    assert told["person"]["email"] == cast.bob.email
    assert told["organization"] == {
        "id": cast.acme.pk,
        "name": "Acme",
        "slug": "acme",
        "owner_id": cast.alice.pk,
        "is_owner": False,
    }
    assert [each["organization_name"] for each in told["invitations_received"]] == ["Acme"]
    line = UserEventLog.objects.get(event="person_exported")
    assert (line.user, line.actor, line.organization) == (cast.bob, cast.bob, cast.acme)
    assert told["events"][-1]["event"] == "person_exported"


def seen(end: int, **fields: Any) -> None:
    """A line of an act that was seen at this end of an address."""
    UserEventLog.objects.create(event=Event.LOGIN, ip_address=f"192.0.2.{end}", **fields)


def test_no_secret_and_nobody_elses_address_is_told(cast: Cast) -> None:
    cleo = make_cleo(cast)
    seen(1, user=cleo, actor=cast.dana)
    seen(2, user=cleo, actor=cleo)
    seen(3, user=cleo)
    seen(4, user=cast.bob, actor=cast.bob)
    seen(5, user=cleo, actor=cleo, impersonator=cast.dana)
    text = "".join(
        json.dumps(facts, default=str)
        for part in PERSON
        for told in [part.tell(cleo)]
        for facts in ([told] if isinstance(told, dict) else told)
    )
    assert EMAIL in text
    assert OTHER_EMAIL in text
    assert cleo.password not in text
    for authenticator in Authenticator.objects.filter(user=cleo):
        assert authenticator.data["secret"] not in text
    for stranger in (cast.bob, cast.dana):
        assert stranger.email not in text
    assert {f"192.0.2.{n}" for n in range(1, 6) if f"192.0.2.{n}" in text} == {
        "192.0.2.2",
        "192.0.2.3",
    }


def test_what_was_sent_before_proving_is_done_after_it(cast: Cast) -> None:
    client = log_in(cast.bob)
    asked = client.post(URL)
    assert asked.status_code == 302
    assert not UserEventLog.objects.filter(event="person_exported").exists()
    answer = client.post(asked["Location"], {"password": PASSWORD})
    assert read(answer)["person"]["id"] == cast.bob.pk


def test_a_form_of_another_site_exports_nothing(cast: Cast, bobs: Client) -> None:
    bobs.handler.enforce_csrf_checks = True
    assert bobs.post(URL).status_code == 403


def test_a_locked_member_exports(cast: Cast) -> None:
    client = log_in(cast.bob)
    lock(cast.acme)
    screen = client.get(reverse("home"))
    assert screen.status_code == 403
    assert f'href="{URL}"' in screen.content.decode()
    prove_again(client)
    assert client.get(URL).status_code == 200
    assert read(client.post(URL))["person"]["id"] == cast.bob.pk


def kept_out(person: User) -> tuple[Client, str]:
    """Log in, be refused by the lock, and return the way to the export that the screen offers."""
    client = Client()
    screen = client.post(reverse("account_login"), {"login": person.email, "password": PASSWORD})
    assert screen.status_code == 403
    found = re.search(r'href="(/account/export/[^"]+)"', screen.content.decode())
    assert found is not None
    return client, found.group(1)


def test_who_is_kept_out_at_log_in_exports_once(cast: Cast) -> None:
    lock(cast.acme)
    client, url = kept_out(cast.bob)
    others = exits.urls_of(cast.bob, "orgs:leave_from_outside", "orgs:delete_from_outside")
    assert "Download it" in client.get(url).content.decode()
    assert read(client.post(url))["person"]["id"] == cast.bob.pk
    assert client.post(url).status_code == 404
    assert client.get(url).status_code == 404
    assert [client.get(other).status_code for other in others] == [200, 200]


def test_a_way_out_is_good_for_its_own_page_for_some_minutes(cast: Cast) -> None:
    lock(cast.acme)
    client, url = kept_out(cast.bob)
    (leave,) = exits.urls_of(cast.bob, "orgs:leave_from_outside")
    assert client.get(leave).status_code == 200
    for other in (url, leave):
        elsewhere = other.replace("/account/export/", "/organization/leave/")
        elsewhere = elsewhere.replace("/organization/leave/", "/account/delete/")
        assert client.get(elsewhere).status_code == 404
    assert client.get(url[:-2] + "x/").status_code == 404
    with time_machine.travel(timezone.now() + exits.VALID_FOR + timedelta(seconds=1)):
        assert client.get(url).status_code == 404


def test_an_export_costs_the_same_with_more_to_tell(
    cast: Cast, bobs: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    def export() -> Iterator[Any]:
        return iter(read(bobs.post(URL))["events"])

    export()
    with django_assert_num_queries(COST):
        export()
    for _ in range(5):
        add_member(cast.acme)
        accounts.record_event(Event.LOGIN, user=cast.bob)
    with django_assert_num_queries(COST):
        export()


# Session and person, the proof, the log's line, and one or two for each part.
COST = 25
