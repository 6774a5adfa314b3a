"""Ways out for those whom the lock keeps from logging in: links made after they proved who they
are, each for one page, good for a few minutes and once."""

from __future__ import annotations

from datetime import timedelta

from django.core import signing
from django.urls import reverse

from accounts.models import User
from accounts.rights import number_of_exports

VALID_FOR = timedelta(minutes=15)
EXPORT = "accounts:export_from_outside"


def urls_of(person: User, *pages: str) -> list[str]:
    """Return where this person opens these pages of theirs without being logged in."""
    tokens = [signing.dumps([person.pk, *_used(person, page)], salt=_salt(page)) for page in pages]
    return [reverse(page, args=[token]) for page, token in zip(pages, tokens, strict=True)]


def person_of(page: str, token: str) -> User | None:
    """Return whose link it is; None when it is not ours, another page's, too old or used."""
    try:
        pk, *used = signing.loads(token, salt=_salt(page), max_age=VALID_FOR)
    except signing.BadSignature:
        return None
    person = User.objects.get_queryset().present().with_access().filter(pk=pk).first()
    return person if person is not None and _used(person, page) == used else None


def _used(person: User, page: str) -> list[int]:
    """What tells whether the page was used: leaving and deleting end the generation of sessions;
    an export is in the log, and leaves the other ways out as they are."""
    if page == EXPORT:
        return [person.session_generation, number_of_exports(person)]
    return [person.session_generation]


def _salt(page: str) -> str:
    return f"accounts.exits.{page}"
