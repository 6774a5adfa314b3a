"""What people call themselves is shown as text, wherever it is shown."""

from __future__ import annotations

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.models import User
from orgs.models import Organization
from tests.cast import Cast, signed_in
from tests.crawler import Crawler

MARKUP = "\"><script>alert('x')</script><img src=x onerror=alert(1)>{{ 7|add:7 }}"
ESCAPED = "&lt;script&gt;alert("


@pytest.fixture
def named(cast: Cast) -> Cast:
    """A cast that calls itself so."""
    User.objects.update(name=MARKUP)
    Organization.objects.update(name=MARKUP)
    return cast


@pytest.mark.parametrize("who", ["alice", "bob", "charlie", "dana"])
def test_a_name_is_no_markup_on_any_page(named: Cast, who: str) -> None:
    starts = ["/", reverse("orgs:team"), reverse("accounts:account")]
    starts += ["/admin/"] if who == "dana" else []
    crawler = Crawler(signed_in(getattr(named, who)), at_most=1).walk(*starts)
    sources = {url: answer.source for url, answer in crawler.answers.items()}
    assert [url for url, source in sources.items() if "<script>alert(" in source] == []
    assert [url for url, source in sources.items() if "<img src=x" in source] == []
    assert any(ESCAPED in source for source in sources.values())
    assert any("{{ 7|add:7 }}" in source for source in sources.values())


def test_nor_in_a_mail(
    named: Cast, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    client = signed_in(named.alice)
    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("orgs:invite"), {"email": "eve@example.com"})
    html = str(mail.outbox[-1].message())
    assert "Content-Type: text/html" in html
    html = html.split("Content-Type: text/html")[1]
    assert "<script>" not in html
    assert ESCAPED in html
    assert "\n" not in mail.outbox[-1].subject


def test_what_was_typed_is_no_markup_when_it_is_shown_again(db: None) -> None:
    form = {"login": MARKUP, "email": MARKUP, "name": MARKUP, "organization_name": MARKUP}
    for name in ("account_login", "account_signup", "account_reset_password"):
        page = Client().post(reverse(name), form).content.decode()
        assert "<script>alert(" not in page, name
        assert ESCAPED in page, name
