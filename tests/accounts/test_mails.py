"""Every mail comes in two forms that say the same, in one look."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from accounts.mails import Block, Kind, blocks_of, compose
from orgs import emails, services
from orgs.models import OwnershipTransfer
from tests.cast import Cast

TEXT = """Hello,

Alice invited you.
Welcome!

Join Acme & Sons:
https://example.com/join/?a=1

https://example.com/plain

QX7-K2M

Until noon: hurry.
"""


@pytest.fixture(autouse=True)
def reached_at(settings: Settings) -> None:
    settings.BASE_URL = "https://example.com"


def test_a_text_is_taken_apart_into_what_it_says() -> None:
    assert blocks_of(TEXT) == [
        Block(Kind.PARAGRAPH, "Hello,"),
        Block(Kind.PARAGRAPH, "Alice invited you.\nWelcome!"),
        Block(Kind.LINK, "Join Acme & Sons", "https://example.com/join/?a=1"),
        Block(Kind.LINK, "", "https://example.com/plain"),
        Block(Kind.CODE, "QX7-K2M"),
        Block(Kind.PARAGRAPH, "Until noon: hurry."),
    ]


@pytest.mark.parametrize(
    "address", ["https://evil.example/", "https://[", "http://example.com.evil"]
)
def test_an_address_that_somebody_wrote_into_a_name_is_no_button(address: str) -> None:
    (block,) = blocks_of(f"Join Acme:\n{address}")
    assert block.kind is Kind.PARAGRAPH


@given(st.text())
def test_no_word_of_any_text_is_lost(text: str) -> None:
    blocks = blocks_of(text)
    told = "".join(f"{each.text}{':' if each.address else ''}{each.address}" for each in blocks)
    # The colon of a line that says what an address is for gives way to the button.
    assert re.sub(r"[\s:]", "", told) == re.sub(r"[\s:]", "", text)


def test_what_people_call_themselves_is_no_markup_and_no_header() -> None:
    message = compose("<b>Acme\nBcc: eve@example.com", "Hello <img src=x>,", ["bob@example.com"])
    html = str(message.alternatives[0][0])
    assert message.subject == "<b>Acme Bcc: eve@example.com"
    assert "<img" not in html
    assert "<b>" not in html


def invitation(cast: Cast) -> None:
    services.invite(
        organization=cast.acme, email="eve@example.com", by=cast.alice, now=timezone.now()
    )


def transfer(cast: Cast) -> None:
    services.transfer_ownership(
        organization=cast.acme, new_owner=cast.bob, by=cast.dana, reason="Asked for."
    )
    emails.send_ownership_transferred(OwnershipTransfer.objects.get())


def closing(cast: Cast) -> None:
    cast.acme.closed_at = timezone.now() - timedelta(days=1)
    emails.send_organization_closed(cast.acme, cast.bob)


def account_deleted(cast: Cast) -> None:
    services.delete_own_account(user=cast.bob, now=timezone.now())


def password_reset(cast: Cast) -> None:
    Client().post(reverse("account_reset_password"), {"email": cast.bob.email})


def sign_up(cast: Cast) -> None:
    person = {"name": "Zoe", "organization_name": "Zoo", "email": "zoe@example.com"}
    Client().post(reverse("account_signup"), {**person, "password1": "a long enough phrase"})


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("send", "action"),
    [
        (invitation, "Join Acme"),
        (transfer, "Open Holdfast"),
        (closing, "Open Holdfast"),
        (account_deleted, "Come back"),
        (password_reset, "Choose a new password"),
        (sign_up, None),
    ],
)
def test_both_forms_say_the_same(
    cast: Cast, send: Callable[[Cast], None], action: str | None
) -> None:
    mail.outbox.clear()
    send(cast)
    assert mail.outbox
    for message in mail.outbox:
        assert isinstance(message, EmailMultiAlternatives)
        (html, kind) = message.alternatives[0]
        assert kind == "text/html"
        shown = " ".join(unescape(re.sub(r"<[^>]+>", " ", str(html))).split())
        assert str(message.subject) in shown
        for block in blocks_of(str(message.body)):
            assert " ".join(block.text.split()) in shown
            assert f'href="{block.address}"' in unescape(str(html)) or not block.address
        if action is None:
            (code,) = [each.text for each in blocks_of(str(message.body)) if each.kind is Kind.CODE]
            assert code in shown
        else:
            assert re.search(rf">{action}[^<]*</a>", str(html))
