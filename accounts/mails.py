"""Mails in both forms: the text as it is written, and the same words in Holdfast's look."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.http.request import validate_host
from django.template.loader import render_to_string

ADDRESS = re.compile(r"https?://\S+")
CODE = re.compile(r"[A-Z0-9]{3,}(-[A-Z0-9]{3,})*")


class Kind(StrEnum):
    PARAGRAPH = "paragraph"
    # Typed into the page that is open.
    CODE = "code"
    # `text` says what the address is for; empty: the address alone.
    LINK = "link"


@dataclass(frozen=True)
class Block:
    kind: Kind
    text: str
    address: str = ""


def compose(
    subject: str, text: str, to: list[str], headers: Mapping[str, str] | None = None
) -> EmailMultiAlternatives:
    """Return a mail whose HTML says what its text says."""
    # A name with a line break in it must not break the header.
    subject = " ".join(subject.split())
    message = EmailMultiAlternatives(subject, text, to=to, headers=dict(headers or {}))
    html = render_to_string("email/message.html", {"subject": subject, "blocks": blocks_of(text)})
    message.attach_alternative(html, "text/html")
    return message


def blocks_of(text: str) -> list[Block]:
    """Take a mail's text apart: what stands between empty lines is a block.

    An address of ours on a line of its own is a link; the line above it, if it ends in a colon,
    says what it is for. Others are left as they are: somebody may have written one into a name. A
    line of capitals and digits is a code.
    """
    return [_block(each.strip()) for each in re.split(r"\n\s*\n", text) if each.strip()]


def _block(text: str) -> Block:
    above, _newline, last = text.rpartition("\n")
    if ADDRESS.fullmatch(last) and _is_ours(last) and (not above or above.endswith(":")):
        return Block(Kind.LINK, above.removesuffix(":"), last)
    return Block(Kind.CODE if CODE.fullmatch(text) else Kind.PARAGRAPH, text)


def _is_ours(address: str) -> bool:
    """Whether it leads to where the product is reached."""
    try:
        host = urlsplit(address).hostname or ""
    except ValueError:
        return False
    return host == urlsplit(settings.BASE_URL).hostname or validate_host(
        host, settings.ALLOWED_HOSTS
    )
