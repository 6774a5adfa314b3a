"""Every template, also of what no other test brings about: its words stand in `translate` tags."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings
from django.template.base import Lexer, TokenType

from tests.language.data import NAMES
from tests.language.visible import Untranslated, texts_of

FOLDER: Path = settings.BASE_DIR / "templates"
TEMPLATES = sorted(str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*.*"))
# Between these tags nothing is shown, or what is was handed to translators; in `width` is a class.
BEGINS = {
    "blocktranslate": "endblocktranslate",
    "comment": "endcomment",
    "block width": "endblock",
}


def literal(source: str) -> str:
    """Return what the template itself says: without tags, values and what is translated."""
    written: list[str] = []
    until = ""
    for token in Lexer(source).tokenize():
        name = token.contents.partition(" ")[0]
        if until:
            is_over = token.token_type == TokenType.BLOCK and name == until
            until = "" if is_over else until
        elif token.token_type == TokenType.BLOCK:
            until = BEGINS.get(name) or BEGINS.get(token.contents, "")
        elif token.token_type == TokenType.TEXT:
            written.append(token.contents)
    return "".join(written)


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_says_nothing_that_is_not_translated(name: str) -> None:
    words = literal((FOLDER / name).read_text())
    texts = texts_of(words) if name.endswith(".html") else words.splitlines()
    assert Untranslated(NAMES).in_texts(texts) == []


@pytest.mark.parametrize(
    "source",
    [
        "<p>Hello</p>",
        "<p>{{ name }} is here</p>",
        '<a title="Hello" href="{{ url }}">{{ name }}</a>',
        '<input type="submit" value="Send">',
        '<p aria-label="{{ count }} people">{{ count }}</p>',
        "{% if name %}Yes{% endif %}",
    ],
)
def test_a_word_that_is_not_translated_is_found(source: str) -> None:
    assert len(Untranslated(NAMES).in_texts(texts_of(literal(source)))) == 1
