"""Answers in the pseudo-locale, and what of them is in English."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.test import Client

from accounts.models import User
from tests.language.data import data
from tests.language.pseudo_locale import LANGUAGE
from tests.language.visible import Untranslated, texts_of

# Each with the name of its page.
Answers = list[tuple[str, Any]]


def asking(client: Client) -> Client:
    """A browser whose reader wants the pseudo-locale."""
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = LANGUAGE
    return client


def everybody_reads_it() -> None:
    """Mails are in the language in which whom they go to reads."""
    User.objects.update(language=LANGUAGE)


def english(answers: Iterable[tuple[str, Any]], *written: object) -> dict[str, str]:
    """Return what is in English, apart from what people have `written`, and where it was first."""
    left = Untranslated([*data(), *written])
    found: dict[str, str] = {}
    read: set[str] = set()
    for name, answer in answers:
        if answer.headers.get("Content-Type", "").startswith("text/html"):
            assert answer.headers["Content-Language"] == LANGUAGE
            texts = set(texts_of(answer.content.decode())) - read
            read |= texts
            for text in left.in_texts(texts):
                found.setdefault(text, name)
    assert read
    return found
