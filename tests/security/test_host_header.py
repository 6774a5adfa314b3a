"""Whatever host a request says it is for, links lead to ours."""

from __future__ import annotations

import re

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from tests.cast import PASSWORD, Cast

FORGED = {
    "another": "evil.example",
    "with a port": "evil.example:80",
    "below ours": "evil.testserver",
    "ours below it": "testserver.evil.example",
    "with a name before": "testserver@evil.example",
    "two": "testserver, evil.example",
    "with a path": "testserver/evil.example",
    "with a space": "testserver evil.example",
    "nothing": "",
}
PAGES = ["/", "/accounts/login/", "/admin/", "/account/", "/nowhere/"]
# What some servers before ours would take for the host.
FORWARDED = {
    "X-Forwarded-Host": "evil.example",
    "X-Host": "evil.example",
    "X-Original-Host": "evil.example",
    "Forwarded": "host=evil.example;proto=http",
    "X-Forwarded-Server": "evil.example",
    "X-Forwarded-Port": "666",
    "X-Original-URL": "/admin/",
    "X-Rewrite-URL": "/admin/",
}


@pytest.fixture(autouse=True)
def _as_in_production(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]


@pytest.mark.parametrize("host", FORGED.values(), ids=FORGED.keys())
@pytest.mark.parametrize("page", PAGES)
def test_a_host_that_is_not_ours_is_refused(cast: Cast, page: str, host: str) -> None:
    answer = Client(HTTP_HOST=host).get(page)
    assert answer.status_code == 400
    assert "evil" not in answer.content.decode()
    assert "Location" not in answer.headers


def test_nor_does_it_log_anybody_in_or_send_a_mail(cast: Cast) -> None:
    client = Client(HTTP_HOST="evil.example")
    form = {"login": "bob@example.com", "password": PASSWORD}
    assert client.post(reverse("account_login"), form).status_code == 400
    assert (
        client.post(reverse("account_reset_password"), {"email": "bob@example.com"}).status_code
        == 400
    )
    assert not client.cookies
    assert mail.outbox == []


@pytest.mark.parametrize("name", FORWARDED)
def test_what_a_proxy_would_say_of_the_host_changes_nothing(cast: Cast, name: str) -> None:
    told = {name: FORWARDED[name]}
    for page in PAGES:
        plain, answer = Client().get(page), Client().get(page, headers=told)
        assert answer.status_code == plain.status_code
        assert answer.get("Location") == plain.get("Location")
        assert "evil.example" not in answer.content.decode()


@pytest.mark.parametrize("host", ["testserver:666", "TESTSERVER:1"])
@pytest.mark.parametrize("email", ["bob@example.com", "nobody@example.com"])
def test_a_mail_leads_to_our_own_address_whatever_port_was_asked_for(
    cast: Cast, host: str, email: str
) -> None:
    headers = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Port": "666"}
    client = Client(HTTP_HOST=host)
    client.post(reverse("account_reset_password"), {"email": email}, headers=headers)
    client.post(
        reverse("account_signup"),
        {"name": "B", "organization_name": "Bs", "email": email, "password1": PASSWORD},
        headers=headers,
    )
    assert len(mail.outbox) == 2
    for message in mail.outbox:
        links = re.findall(r"https?://[^\s\"'<>]+", text_of(message))
        assert [each for each in links if not each.startswith("http://testserver/")] == []
        assert "evil" not in text_of(message)
    assert "http://testserver/accounts/" in str(mail.outbox[0].body)


def text_of(message: EmailMessage) -> str:
    """All of its parts, and its headers."""
    whole = message.message()
    parts = [each.get_payload(decode=True) for each in whole.walk() if not each.is_multipart()]
    texts = [part.decode() for part in parts if isinstance(part, bytes)]
    return "\n".join([*texts, *map(str, whole.values())])


def test_an_invitation_leads_to_our_own_address(
    cast: Cast, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    client = Client(HTTP_HOST="testserver:666")
    client.force_login(cast.alice)
    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("orgs:invite"), {"email": "eve@example.com"})
    assert "http://testserver/invitations/" in str(mail.outbox[-1].body)
