"""Where one is logged in, and logging out elsewhere."""

from __future__ import annotations

from django.test import Client
from django.urls import reverse

from accounts.devices import device_name
from accounts.models import UserEventLog
from tests.cast import PASSWORD, Cast

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) Version/18.0 Mobile/15E148 Safari/604.1"
)
EDGE = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/120.0 Safari/537.36 Edg/120.0"
)


def browser(user_agent: str, email: str = "bob@example.com") -> Client:
    client = Client(HTTP_USER_AGENT=user_agent)
    client.post(reverse("account_login"), {"login": email, "password": PASSWORD})
    return client


def is_in(client: Client) -> bool:
    return client.get(reverse("accounts:account")).status_code == 200


def listed(client: Client) -> list[tuple[str, bool]]:
    context = client.get(reverse("usersessions_list")).context
    return [(each.device, each.is_current) for each in context["sessions"]]


def log_out_elsewhere(client: Client) -> str:
    """As a person does: press the button, and answer the question that comes."""
    page = reverse("usersessions_list")
    asked = client.post(page)
    assert asked.headers["Location"].startswith(reverse("account_reauthenticate"))
    form = {"password": PASSWORD, "next": page}
    answer = client.post(reverse("account_reauthenticate"), form, follow=True)
    return answer.content.decode()


def test_the_list_shows_each_browser_and_which_is_this_one(cast: Cast) -> None:
    here, _ = browser(FIREFOX), browser(IPHONE)
    assert listed(here) == [("Firefox on Linux", True), ("Safari on iPhone", False)]
    page = here.get(reverse("usersessions_list")).content.decode()
    assert "from 127.0.0.1" in page


def test_the_list_is_ones_own(cast: Cast) -> None:
    browser(IPHONE, "alice@example.com")
    assert listed(browser(FIREFOX)) == [("Firefox on Linux", True)]


def test_logging_out_elsewhere_ends_the_others_and_keeps_this_one(cast: Cast) -> None:
    here, there = browser(FIREFOX), browser(IPHONE)
    alice = browser(EDGE, "alice@example.com")
    assert "You are logged out everywhere else." in log_out_elsewhere(here)
    assert is_in(here)
    assert not is_in(there)
    assert is_in(alice)
    assert listed(here) == [("Firefox on Linux", True)]
    line = UserEventLog.objects.get(event="sessions_ended")
    assert (line.user, line.actor, line.organization) == (cast.bob, cast.bob, cast.acme)


def test_without_proof_of_who_it_is_no_session_ends(cast: Cast) -> None:
    here, there = browser(FIREFOX), browser(IPHONE)
    here.post(reverse("usersessions_list"))
    form = {"password": "wrong", "next": reverse("usersessions_list")}
    here.post(reverse("account_reauthenticate"), form)
    assert is_in(there)


def test_a_session_that_the_list_does_not_know_ends_as_well(cast: Cast) -> None:
    unlisted = Client()
    unlisted.force_login(cast.bob)
    here = browser(FIREFOX)
    # As one that began before sessions were listed.
    assert is_in(unlisted)
    log_out_elsewhere(here)
    assert not is_in(unlisted)


def test_leaving_the_team_keeps_this_session_on_the_list(cast: Cast) -> None:
    here, there = browser(FIREFOX), browser(IPHONE)
    here.post(reverse("orgs:leave"))
    assert listed(here) == [("Firefox on Linux", True)]
    assert not is_in(there)


def test_what_ended_is_no_longer_listed(cast: Cast) -> None:
    here, there = browser(FIREFOX), browser(IPHONE)
    there.post(reverse("account_logout"))
    assert listed(here) == [("Firefox on Linux", True)]


def test_devices_are_called_as_people_call_them() -> None:
    assert device_name(EDGE) == "Edge on Windows"
    assert device_name("curl/8.0 Linux") == "Linux"
    assert device_name("") == "Unknown device"
