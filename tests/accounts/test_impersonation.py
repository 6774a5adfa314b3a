"""Staff look at the product as somebody: who may, as whom, the way back and the log."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import impersonation_services as impersonation
from accounts import services as accounts
from accounts.models import User
from orgs import services
from orgs.permissions import VIEW
from tests.cast import PASSWORD, Cast, OrganizationFactory, PersonFactory
from tests.impersonating import (
    REASON,
    begin,
    lines,
    page_about,
    stop,
    who_is,
)
from tests.second_factor import log_in, prove, set_up_second_factor
from tests.staff import allow, grant, make_developer

IMPERSONATE = "accounts.impersonate_user"


@pytest.fixture
def dana(cast: Cast) -> Client:
    return prove(cast.dana)


def test_staff_say_why_see_what_the_person_sees_and_come_back(dana: Client, cast: Cast) -> None:
    form = dana.get(page_about(cast.bob)).content.decode()
    assert "You can look, and change nothing." in form
    assert begin(dana, cast.bob)["Location"] == reverse("home")

    page = dana.get(reverse("orgs:team")).content.decode()
    for words in ("Bob Brown (bob@example.com)", "Impersonated by Dana Diaz until ", REASON):
        assert words in page
    assert "Admin" not in page.split("</nav>")[0]

    back = dana.post(reverse("impersonation:stop"), follow=True)
    assert back.redirect_chain[-1][0] == reverse("admin:accounts_user_change", args=[cast.bob.pk])
    assert "You no longer impersonate Bob Brown" in back.content.decode()
    assert "Impersonated by" not in dana.get(reverse("home")).content.decode()


def test_the_log_says_who_looked_as_whom_why_and_how_it_ended(dana: Client, cast: Cast) -> None:
    with time_machine.travel(timezone.now(), tick=False):
        begin(dana, cast.bob)
        ends_at = timezone.now() + timedelta(hours=1)
    stop(dana)
    (started,) = lines("impersonation_started")
    (ended,) = lines("impersonation_ended")
    for line in (started, ended):
        assert (line.user, line.actor, line.organization) == (cast.bob, cast.dana, cast.acme)
    assert started.data == {"reason": REASON, "ends_at": ends_at.isoformat()}
    assert ended.data == {"because": "stopped"}


@pytest.mark.parametrize(
    "changes", [{"reason": ""}, {"reason": "  "}, {"reason": "x" * 501}, {"user_pk": ""}]
)
def test_without_a_reason_nothing_begins(dana: Client, cast: Cast, changes: dict[str, Any]) -> None:
    assert begin(dana, cast.bob, **changes).status_code == 422
    assert who_is(dana) == cast.dana.pk
    assert not lines("impersonation_started")


def test_the_service_asks_for_a_reason_as_well(cast: Cast) -> None:
    with pytest.raises(impersonation.ReasonMissing):
        impersonation.start_impersonation(
            person=cast.bob, by=cast.dana, reason=" ", now=timezone.now()
        )


def test_a_form_about_one_person_does_not_lead_to_another(dana: Client, cast: Cast) -> None:
    assert begin(dana, cast.bob, user_pk=cast.alice.pk).status_code == 422
    assert who_is(dana) == cast.dana.pk


def test_opening_the_page_begins_nothing(dana: Client, cast: Cast) -> None:
    dana.get(page_about(cast.bob), {"reason": REASON, "user_pk": str(cast.bob.pk)})
    assert who_is(dana) == cast.dana.pk


def test_a_form_from_elsewhere_neither_begins_nor_stops(cast: Cast) -> None:
    dana = prove(cast.dana)
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = dana.cookies
    assert begin(strict, cast.bob).status_code == 403
    assert who_is(strict) == cast.dana.pk
    begin(dana, cast.bob)
    assert stop(strict).status_code == 403
    assert strict.post(reverse("account_logout")).status_code == 403
    assert who_is(strict) == cast.bob.pk


def test_no_staff_may_unless_they_were_given_it(cast: Cast) -> None:
    staff = make_developer(VIEW)
    client = prove(staff)
    assert client.get(page_about(cast.bob)).status_code == 403
    assert begin(client, cast.bob).status_code == 403
    change = reverse("admin:accounts_user_change", args=[cast.bob.pk])
    assert page_about(cast.bob) not in client.get(change).content.decode()
    allow(staff, IMPERSONATE)
    assert page_about(cast.bob) in client.get(change).content.decode()
    assert begin(client, cast.bob).status_code == 302


@pytest.mark.parametrize("who", ["alice", "bob"])
def test_members_may_not_even_with_the_permission(cast: Cast, who: str) -> None:
    member: User = getattr(cast, who)
    allow(member, IMPERSONATE)
    client = prove(member)
    begin(client, cast.charlie)
    assert who_is(client) == member.pk
    assert not lines("impersonation_started")


def test_a_developer_who_is_no_staff_may_not(cast: Cast) -> None:
    developer = PersonFactory.create(user_type="developer")
    allow(developer, IMPERSONATE, VIEW)
    with pytest.raises(impersonation.NotPermitted):
        impersonation.start_impersonation(
            person=cast.bob, by=developer, reason=REASON, now=timezone.now()
        )


def test_scoped_staff_impersonate_people_of_what_they_may_see_alone(cast: Cast) -> None:
    beta = OrganizationFactory.create()
    scoped = make_developer(IMPERSONATE)
    grant(scoped, VIEW, cast.acme, by=cast.dana)
    client = prove(scoped)
    for unseen in (beta.owner, cast.charlie):
        assert client.get(page_about(unseen)).status_code == 404
        assert begin(client, unseen).status_code == 404
        with pytest.raises(impersonation.OutOfSight):
            impersonation.start_impersonation(
                person=unseen, by=scoped, reason=REASON, now=timezone.now()
            )
    assert who_is(client) == scoped.pk
    assert begin(client, cast.bob).status_code == 302


def _developer(cast: Cast) -> User:
    return PersonFactory.create(user_type="developer")


def _superuser_alone(cast: Cast) -> User:
    User.objects.filter(pk=cast.charlie.pk).update(is_superuser=True)
    return cast.charlie


def _inactive(cast: Cast) -> User:
    accounts.set_active(person=cast.bob, is_active=False, by=cast.dana)
    return cast.bob


def _deleted(cast: Cast) -> User:
    services.soft_delete(user=cast.bob, by=cast.dana, reason="Left.")
    return cast.bob


def _staff(cast: Cast) -> User:
    return make_developer()


def _themselves(cast: Cast) -> User:
    return cast.dana


@pytest.mark.parametrize(
    "somebody", [_developer, _superuser_alone, _inactive, _deleted, _staff, _themselves]
)
def test_nobody_goes_on_as_our_own_people_or_as_who_is_away(
    dana: Client, cast: Cast, somebody: Any
) -> None:
    person = somebody(cast)
    assert "not impersonated" in dana.get(page_about(person)).content.decode()
    answer = begin(dana, person)
    assert answer.status_code == 422
    assert "not impersonated" in answer.content.decode()
    assert who_is(dana) == cast.dana.pk
    assert not lines("impersonation_started")


def test_nobody_goes_on_from_one_person_to_the_next(dana: Client, cast: Cast) -> None:
    begin(dana, cast.bob)
    assert begin(dana, cast.alice).status_code == 403
    assert who_is(dana) == cast.bob.pk
    assert len(lines("impersonation_started")) == 1


def test_without_a_second_factor_staff_are_led_to_set_one_up(cast: Cast) -> None:
    client = log_in(cast.dana)
    assert begin(client, cast.bob)["Location"] == reverse("mfa_index")
    assert who_is(client) == cast.dana.pk


def test_having_logged_in_is_not_enough(cast: Cast) -> None:
    client = log_in(cast.dana, set_up_second_factor(cast.dana))
    asked = begin(client, cast.bob)["Location"]
    assert asked.startswith(reverse("account_reauthenticate"))
    assert who_is(client) == cast.dana.pk
    # Once they have, the form that they sent goes on.
    client.post(asked, {"password": PASSWORD, "next": page_about(cast.bob)})
    assert who_is(client) == cast.bob.pk


def test_a_proof_of_long_ago_has_to_be_repeated(dana: Client, cast: Cast) -> None:
    with time_machine.travel(timezone.now() + timedelta(minutes=6)):
        assert begin(dana, cast.bob)["Location"].startswith(reverse("account_reauthenticate"))
    assert who_is(dana) == cast.dana.pk
