"""Where a request comes from: what is believed, and what anybody may have written."""

from __future__ import annotations

import pytest
from django.test import Client, RequestFactory
from django.urls import reverse
from pytest_django import Settings

from accounts.http import address_for_limits, client_address, is_nobodys
from accounts.models import UserEventLog
from tests.cast import PASSWORD, Cast, lock

SPOOFED = "203.0.113.66"


def ask(**meta: str) -> str | None:
    request = RequestFactory().get("/")
    request.META |= meta
    return client_address(request)


@pytest.mark.parametrize(
    ("remote", "address"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("2a00:1450::1", "2a00:1450::1"),
        # An IPv4 visitor, of a server that listens on IPv6.
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("fe80::1%eth0", "fe80::1"),
        # A Unix socket.
        ("", None),
        ("no address", None),
    ],
)
def test_without_proxies_the_connections_own_address_counts(
    remote: str, address: str | None
) -> None:
    assert ask(REMOTE_ADDR=remote) == address


def test_a_spoofed_header_is_ignored() -> None:
    headers = {"HTTP_X_FORWARDED_FOR": SPOOFED, "HTTP_X_REAL_IP": SPOOFED}
    assert ask(REMOTE_ADDR="198.51.100.7", **headers) == "198.51.100.7"


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (1, "198.51.100.7", "198.51.100.7"),
        (1, f"{SPOOFED}, 198.51.100.7", "198.51.100.7"),
        (2, f"{SPOOFED}, 198.51.100.7, 10.0.0.2", "198.51.100.7"),
        # With ports, as some proxies write them.
        (1, "198.51.100.7:4711", "198.51.100.7"),
        (1, "[2a00:1450::1]:4711", "2a00:1450::1"),
        # Who comes past one of the proxies is not turned away.
        (2, "198.51.100.7", "198.51.100.7"),
        (1, "", "10.0.0.1"),
        (1, "rubbish", "10.0.0.1"),
    ],
)
def test_of_x_forwarded_for_as_much_is_believed_as_there_are_proxies(
    settings: Settings, proxies: int, forwarded: str, address: str
) -> None:
    settings.TRUSTED_PROXIES = proxies
    assert ask(REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=forwarded) == address


def test_a_proxys_own_header_is_believed_where_the_settings_name_it(settings: Settings) -> None:
    settings.CLIENT_ADDRESS_HEADER = "X-Real-IP"
    headers = {"HTTP_X_REAL_IP": "198.51.100.7", "HTTP_X_FORWARDED_FOR": SPOOFED}
    assert ask(REMOTE_ADDR="10.0.0.1", **headers) == "198.51.100.7"
    assert ask(REMOTE_ADDR="10.0.0.1") == "10.0.0.1"


def test_limits_take_each_request_without_an_address_for_another() -> None:
    request = RequestFactory().get("/", REMOTE_ADDR="")
    addresses = {address_for_limits(request).rsplit("::", 1)[0] for _ in range(50)}
    assert len(addresses) == 50
    assert is_nobodys(address_for_limits(request))
    assert not is_nobodys("198.51.100.7")


def test_behind_a_unix_socket_many_people_log_in_in_a_minute(cast: Cast) -> None:
    """Limits by address are 30 log-ins and 20 sign-ups a minute: not for everybody together."""
    for _ in range(40):
        client = Client(REMOTE_ADDR="")
        form = {"login": "bob@example.com", "password": PASSWORD}
        assert client.post(reverse("account_login"), form).status_code == 302
        assert "_auth_user_id" in client.session
    page = client.get(reverse("usersessions_list")).content.decode()
    assert "2001:db8" not in page


def test_behind_a_unix_socket_guessing_at_one_account_is_stopped_all_the_same(cast: Cast) -> None:
    def attempt(password: str) -> str:
        form = {"login": "bob@example.com", "password": password}
        return Client(REMOTE_ADDR="").post(reverse("account_login"), form).content.decode()

    for _ in range(5):
        assert "not correct" in attempt("wrong")
    assert "Too many failed login attempts" in attempt(PASSWORD)


def test_from_one_address_log_in_is_limited_whatever_headers_are_sent(cast: Cast) -> None:
    answers = [
        Client(HTTP_X_FORWARDED_FOR=f"203.0.113.{n}").post(
            reverse("account_login"), {"login": f"nobody{n}@example.com", "password": "wrong"}
        )
        for n in range(11)
    ]
    assert "Too many failed login attempts" in answers[-1].content.decode()
    assert "not correct" in answers[-2].content.decode()


def test_the_log_keeps_the_address_that_is_believed(cast: Cast, settings: Settings) -> None:
    settings.TRUSTED_PROXIES = 1
    lock(cast.acme)
    client = Client(HTTP_X_FORWARDED_FOR=f"{SPOOFED}, 198.51.100.7", REMOTE_ADDR="10.0.0.1")
    client.post(reverse("account_login"), {"login": "bob@example.com", "password": PASSWORD})
    assert UserEventLog.objects.get(event="login_blocked").ip_address == "198.51.100.7"
