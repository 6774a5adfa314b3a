"""No `next` leads away from here, at whatever view takes it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from tests.cast import PASSWORD, Cast
from tests.crawler import Offers
from tests.impersonating import impersonating
from tests.matrix import undone
from tests.passkeys import HOST, Device, new_client
from tests.second_factor import one_time_code, set_up_second_factor
from tests.security.browsers import is_in

EVIL = [
    "//evil.example",
    "///evil.example",
    "////evil.example/",
    "https://evil.example",
    "https:evil.example",
    "https:/evil.example",
    "http:///evil.example",
    "HTTPS://EVIL.EXAMPLE",
    "ftp://testserver/",
    r"\\evil.example",
    r"/\evil.example",
    r"\/evil.example",
    r"https:\\evil.example",
    r"https://evil.example\@testserver/",
    "https://testserver@evil.example/",
    "https://testserver.evil.example/",
    "//testserver@evil.example/",
    "javascript:alert(1)",
    "JavaScript://testserver/%0aalert(1)",
    "java\tscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "\x00//evil.example",
    "\x01https://evil.example",
    "\t//evil.example",
    "\n//evil.example",
    " //evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r/evil.example",
    "https://[evil.example",
    "//[::1",
    "//evil.example%2f@testserver",
    "//evil%E3%80%82example",
    "///\u2100evil.example",
]
# As it might be asked for once too often.
EVIL += [quote(each, safe="") for each in ("//evil.example", "https://evil.example", r"\\evil")]


def leads_home(answer: Any) -> bool:
    """Whether a browser that follows this answer stays here: it reads `\\` as `/`, and drops tabs,
    newlines and what stands before the address."""
    told = answer.headers.get("Location", "")
    read = told.replace("\\", "/").translate({9: None, 10: None, 13: None})
    read = read.lstrip("".join(map(chr, range(33))))
    try:
        parts = urlsplit(urljoin("http://testserver/accounts/login/", read))
    except ValueError:
        return False
    return parts.scheme == "http" and parts.netloc in {"testserver", HOST}


def log_in(cast: Cast, target: str) -> Any:
    form = {"login": "bob@example.com", "password": PASSWORD, "next": target}
    return Client().post(reverse("account_login"), form)


def log_in_by_query(cast: Cast, target: str) -> Any:
    page = f"{reverse('account_login')}?next={quote(target, safe='')}"
    return Client().post(page, {"login": "bob@example.com", "password": PASSWORD})


def log_in_again(cast: Cast, target: str) -> Any:
    client = Client()
    client.force_login(cast.bob)
    return client.get(reverse("account_login"), {"next": target})


def second_factor(cast: Cast, target: str) -> Any:
    secret, client = set_up_second_factor(cast.bob), Client()
    form = {"login": "bob@example.com", "password": PASSWORD, "next": target}
    client.post(reverse("account_login"), form)
    return client.post(reverse("mfa_authenticate"), {"code": one_time_code(secret), "next": target})


def log_out(cast: Cast, target: str) -> Any:
    client = Client()
    client.force_login(cast.bob)
    return client.post(reverse("account_logout"), {"next": target})


def sign_up(cast: Cast, target: str) -> Any:
    form = {"name": "Eve", "organization_name": "Eves", "email": "eve@example.com"}
    form |= {"password1": PASSWORD, "next": target}
    return Client().post(reverse("account_signup"), form)


def sign_up_signed_in(cast: Cast, target: str) -> Any:
    client = Client()
    client.force_login(cast.bob)
    return client.get(reverse("account_signup"), {"next": target})


def prove_again(cast: Cast, target: str) -> Any:
    client = Client()
    client.force_login(cast.bob)
    return client.post(reverse("account_reauthenticate"), {"password": PASSWORD, "next": target})


def prove_by_code(cast: Cast, target: str) -> Any:
    secret, client = set_up_second_factor(cast.bob), Client()
    client.force_login(cast.bob)
    return client.post(
        reverse("mfa_reauthenticate"), {"code": one_time_code(secret), "next": target}
    )


def stop_impersonating(cast: Cast, target: str) -> Any:
    client = impersonating(cast.dana, cast.bob)
    page = f"{reverse('impersonation:stop')}?next={quote(target, safe='')}"
    return client.post(page, {"next": target})


def admins_log_in(cast: Cast, target: str) -> Any:
    """It leads to the product's, with what was asked for; whoever logs in there is led on."""
    client = Client()
    there = client.get(reverse("admin:login"), {"next": target})
    assert leads_home(there)
    form = {"login": cast.dana.email, "password": PASSWORD}
    return client.post(there.headers["Location"], form)


def return_from_stripe(cast: Cast, target: str) -> Any:
    client = Client()
    client.force_login(cast.alice)
    return client.get(reverse("billing:checkout_return"), {"next": target, "session_id": target})


VIEWS: list[Callable[[Cast, str], Any]] = [
    log_in,
    log_in_by_query,
    log_in_again,
    second_factor,
    log_out,
    sign_up,
    sign_up_signed_in,
    prove_again,
    prove_by_code,
    stop_impersonating,
    admins_log_in,
    return_from_stripe,
]


@pytest.mark.parametrize("view", VIEWS)
def test_nobody_is_led_away(
    cast: Cast, view: Callable[[Cast, str], Any], stripe_at_hand: Any
) -> None:
    for target in EVIL:
        cache.clear()
        with undone():
            answer = view(cast, target)
            assert answer.status_code in {200, 302}, target
            assert leads_home(answer), (target, answer.headers.get("Location"))


def test_a_page_of_ours_is_led_to(cast: Cast) -> None:
    assert log_in(cast, "/team/").headers["Location"] == "/team/"
    assert prove_again(cast, "/account/").headers["Location"] == "/account/"
    assert admins_log_in(cast, "/admin/orgs/").headers["Location"] == "/admin/orgs/"


def test_a_passkey_leads_nobody_away_either(cast: Cast) -> None:
    device, at_home = Device(), new_client()
    at_home.force_login(cast.bob)
    device.register(at_home)
    for target in EVIL[:8]:
        client = new_client()
        answer = device.log_in(client, next=target)
        assert is_in(client)
        assert [url for url, _ in answer.redirect_chain if "evil" in url] == []


def test_no_page_offers_a_link_away_that_was_asked_for(cast: Cast) -> None:
    client = Client()
    for target in EVIL:
        for name in ("account_login", "account_signup", "account_reset_password"):
            page = client.get(reverse(name), {"next": target}).content.decode()
            offers = Offers()
            offers.feed(page)
            assert [link for link in offers.links if not link.startswith(("/", "#"))] == [], target
            assert re.findall(r'action="(?!/)[^"]+"', page) == [], target
