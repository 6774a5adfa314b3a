"""An impersonation ends by itself at the next request after whatever it rests on is gone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.signals import user_logged_out
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from accounts import services as accounts
from accounts.models import User
from orgs import services
from orgs.permissions import VIEW
from tests.cast import Cast, signed_in
from tests.impersonating import impersonating, lines, stop, who_is
from tests.staff import grant, make_developer, number_of, revoke

IMPERSONATE = "accounts.impersonate_user"


def is_over(client: Client, because: str) -> None:
    """The next request finds nobody signed in, as Dana or as Bob, and the log says why."""
    old = client.cookies["sessionid"].value
    answer = client.get(reverse("orgs:team"), follow=True)
    assert answer.redirect_chain[0][0].startswith(reverse("account_login"))
    assert "The impersonation has ended, and you are logged out." in answer.content.decode()
    assert who_is(client) is None
    copy = Client()
    copy.cookies["sessionid"] = old
    assert who_is(copy) is None
    (line,) = lines("impersonation_ended")
    assert line.data == {"because": because}


@pytest.fixture
def dana(cast: Cast) -> Client:
    return impersonating(cast.dana, cast.bob)


def test_after_an_hour(dana: Client, cast: Cast) -> None:
    now = timezone.now()
    with time_machine.travel(now + timedelta(minutes=59)):
        assert dana.get(reverse("orgs:team")).status_code == 200
    with time_machine.travel(now + timedelta(minutes=61)):
        is_over(dana, "expired")


def test_looking_does_not_prolong_it(dana: Client) -> None:
    now = timezone.now()
    for minutes in (30, 59):
        with time_machine.travel(now + timedelta(minutes=minutes)):
            dana.get(reverse("home"))
    with time_machine.travel(now + timedelta(minutes=61)):
        is_over(dana, "expired")


def test_after_as_long_as_the_setting_says(cast: Cast, settings: Settings) -> None:
    settings.IMPERSONATION_SECONDS = 60
    client = impersonating(cast.dana, cast.bob)
    with time_machine.travel(timezone.now() + timedelta(seconds=61)):
        is_over(client, "expired")


def test_the_button_is_too_late_after_an_hour(dana: Client) -> None:
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        assert stop(dana)["Location"] == reverse("home")
        assert who_is(dana) is None
    (line,) = lines("impersonation_ended")
    assert line.data == {"because": "expired"}


def test_at_log_out_which_logs_out_the_developer_and_not_the_person(
    dana: Client, cast: Cast
) -> None:
    bob = signed_in(cast.bob)
    told: list[object] = []

    def note(user: User, **kwargs: object) -> None:
        told.append(user)

    user_logged_out.connect(note)
    answer = dana.post(reverse("account_logout"))
    user_logged_out.disconnect(note)
    assert told == []
    assert answer["Location"] == reverse("account_login")
    assert who_is(dana) is None
    assert bob.get(reverse("orgs:team")).status_code == 200
    (line,) = lines("impersonation_ended")
    assert (line.actor, line.data) == (cast.dana, {"because": "logged_out"})


# --- What happens to the developer ---------------------------------------------------------------


def _deactivate(cast: Cast) -> None:
    accounts.set_active(person=cast.dana, is_active=False, by=make_developer())


def _end_sessions(cast: Cast) -> None:
    accounts.end_sessions(User.objects.get(pk=cast.dana.pk))


def _change_password(cast: Cast) -> None:
    dana = User.objects.get(pk=cast.dana.pk)
    dana.set_password("another battery staple")
    dana.save(update_fields=["password"])


def _soft_delete(cast: Cast) -> None:
    services.soft_delete(
        user=cast.dana, by=make_developer("orgs.add_softdeletion", VIEW), reason="Left."
    )


def _take_staff(cast: Cast) -> None:
    User.objects.filter(pk=cast.dana.pk).update(is_staff=False, is_superuser=False)


def _delete_for_good(cast: Cast) -> None:
    accounts.delete_person(person=cast.dana, by=make_developer())


@pytest.mark.parametrize(
    "happens",
    [
        _deactivate,
        _end_sessions,
        _change_password,
        _soft_delete,
        _take_staff,
        _delete_for_good,
    ],
)
def test_when_the_developer_is_thrown_out(
    dana: Client, cast: Cast, happens: Callable[[Cast], None]
) -> None:
    """A developer whose account or sessions are gone does not live on inside another's session."""
    key = cast.dana.pk
    happens(cast)
    is_over(dana, "not_allowed")
    assert lines("impersonation_ended")[0].actor_id == key


def test_the_button_does_not_let_a_developer_in_again_who_was_thrown_out(
    dana: Client, cast: Cast
) -> None:
    _end_sessions(cast)
    stop(dana)
    assert who_is(dana) is None


def test_when_the_developer_loses_the_permission(cast: Cast) -> None:
    staff = make_developer(IMPERSONATE, VIEW)
    client = impersonating(staff, cast.bob)
    assert client.get(reverse("home")).status_code == 200
    staff.user_permissions.remove(number_of(IMPERSONATE))
    is_over(client, "not_allowed")


def test_when_the_organization_is_out_of_the_developers_sight(cast: Cast) -> None:
    staff = make_developer(IMPERSONATE)
    grant(staff, VIEW, cast.acme, by=cast.dana)
    client = impersonating(staff, cast.bob)
    revoke(staff, VIEW, cast.acme, by=cast.dana)
    is_over(client, "not_allowed")


def test_when_the_person_goes_where_the_developer_does_not_see(cast: Cast) -> None:
    staff = make_developer(IMPERSONATE)
    grant(staff, VIEW, cast.acme, by=cast.dana)
    client = impersonating(staff, cast.bob)
    # Past the service, which would end the sessions as well.
    User.objects.filter(pk=cast.bob.pk).update(organization=None)
    is_over(client, "not_allowed")


# --- What happens to the person ------------------------------------------------------------------


def _bob_is_deactivated(cast: Cast) -> None:
    accounts.set_active(person=cast.bob, is_active=False, by=cast.dana)


def _bob_is_deleted(cast: Cast) -> None:
    services.soft_delete(user=cast.bob, by=cast.dana, reason="Left.")


def _bob_is_gone(cast: Cast) -> None:
    accounts.delete_person(person=cast.bob, by=cast.dana)


@pytest.mark.parametrize("happens", [_bob_is_deactivated, _bob_is_deleted, _bob_is_gone])
def test_when_the_person_cannot_come_in_any_more(
    dana: Client, cast: Cast, happens: Callable[[Cast], None]
) -> None:
    key = cast.bob.pk
    happens(cast)
    is_over(dana, "person_logged_out")
    line = lines("impersonation_ended")[0]
    assert (line.user_id, line.actor_id) == (key, cast.dana.pk)


def test_when_the_persons_sessions_end(dana: Client, cast: Cast) -> None:
    accounts.end_sessions(User.objects.get(pk=cast.bob.pk))
    is_over(dana, "person_logged_out")


def test_when_the_person_becomes_one_of_our_own(dana: Client, cast: Cast) -> None:
    User.objects.filter(pk=cast.bob.pk).update(is_superuser=True)
    is_over(dana, "not_allowed")
