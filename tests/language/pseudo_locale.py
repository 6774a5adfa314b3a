"""A language that nobody speaks: every message that `makemessages` would find, in letters that are
no ASCII, so that whatever reads as English on a page did not pass through translation.

The catalogue is a real one: a .mo file in a folder of its own, which Django reads as any other. Its
messages are found without xgettext, which a fresh machine may lack: by Babel in Python, and by
Django's own `templatize` in templates. What Django, allauth and the like say, they catalogue.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_file
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django import conf
from django.apps import apps
from django.conf import settings
from django.utils.translation.template import templatize

LANGUAGE = "en-xa"
APPS = ("accounts", "orgs", "billing", "config")
# As Django's `makemessages` names them to xgettext.
KEYWORDS = DEFAULT_KEYWORDS | {
    "gettext_noop": None,
    "gettext_lazy": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
Message = str | tuple[str, str]
# Left as they are: what is filled in, tags and entities.
KEPT = re.compile(r"(%\(\w+\)[a-z]|%[a-z%]|\{\w*(?:![rsa])?(?::[^}]*)?\}|<[^>]+>|&\w+;)")
ASCII = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
OTHERS = "ȧƀƈḓḗƒɠħīĵķŀḿƞǿƥɋřşŧŭṽẇẋẏẑȦƁƇḒḖƑƓĦĪĴĶĿḾȠǾƤɊŘŞŦŬṼẆẊẎẐ"
ACCENTS = str.maketrans(ASCII, OTHERS)
MARKED = re.compile(f"[{OTHERS}]")
LITERAL = re.compile(r"u?(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")")
CALL = re.compile(rf"(?<!\w)(gettext|ngettext|pgettext|npgettext|_)\(((?:{LITERAL.pattern},?\s*)+)")


def pseudo(text: str) -> str:
    """Return the text in this language: “%(name)s left.” is “⟦%(name)s ŀḗƒŧ.⟧”."""
    if not text.strip():
        return text
    parts = KEPT.split(text)
    told = "".join(part.translate(ACCENTS) if n % 2 == 0 else part for n, part in enumerate(parts))
    start, end = len(told) - len(told.lstrip()), len(told.rstrip())
    return f"{told[:start]}⟦{told[start:end]}⟧{told[end:]}"


def write_catalogue(folder: Path) -> None:
    """Write all that can be said in this language where Django looks for it: LOCALE_PATHS."""
    catalogue = Catalog(locale="en", charset="utf-8")
    for context, message in (*_of_python(), *_of_templates(), *_of_others()):
        told = pseudo(message) if isinstance(message, str) else tuple(map(pseudo, message))
        catalogue.add(message, told, context=context)
    path = folder / "en_XA" / "LC_MESSAGES" / "django.mo"
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        write_mo(file, catalogue)


def _pair(message: str | Sequence[str]) -> Message:
    return message if isinstance(message, str) else (message[0], message[1])


def _of_python() -> Iterator[tuple[str | None, Message]]:
    for app in APPS:
        for path in (settings.BASE_DIR / app).rglob("*.py"):
            for _line, message, _comments, context in extract_from_file(
                "python", path, keywords=KEYWORDS
            ):
                yield context, _pair(message)


def _of_templates() -> Iterator[tuple[str | None, Message]]:
    for path in (settings.BASE_DIR / "templates").rglob("*.*"):
        for name, arguments in CALL.findall(templatize(path.read_text(), origin=str(path))):
            words = [ast.literal_eval(each) for each in LITERAL.findall(arguments)]
            context = words.pop(0) if name in ("pgettext", "npgettext") else None
            yield context, words[0] if len(words) == 1 else (words[0], words[1])


def _of_others() -> Iterator[tuple[str | None, Message]]:
    """What those whose code we run say, as they hand it to translators."""
    homes = [Path(conf.__file__).parent, *(Path(app.path) for app in apps.get_app_configs())]
    homes += [home.parent for home in homes]
    for home in dict.fromkeys(homes):
        for language in ("en", "de"):
            path = home / "locale" / language / "LC_MESSAGES" / "django.po"
            if path.exists() and settings.BASE_DIR not in (home, home.parent):
                with path.open("rb") as file:
                    for message in read_po(file):
                        if message.id:
                            yield message.context, _pair(message.id)
                break
