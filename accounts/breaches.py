"""Whether a password is known from a data breach, asked of Have I Been Pwned.

The service is told five of the forty characters of the password's SHA-1, and names every password
that it knows to begin so, by the other characters: hundreds, among which we look ourselves. It
learns neither the password, nor whether it is one of those, nor whose it is.
"""

from __future__ import annotations

import hashlib
import re
from concurrent.futures import Future
from threading import Thread
from typing import Final

import requests

# https://haveibeenpwned.com/API/v3#PwnedPasswords
PWNED_PASSWORDS: Final = "https://api.pwnedpasswords.com/range/"
TOLD: Final = 5
# Rows that count nothing make answers as long as each other, so that their length tells nothing.
HEADERS: Final = {"Add-Padding": "true", "User-Agent": "holdfast"}
# Bytes. An answer has some 40,000.
LONGEST: Final = 1_000_000
ROW = re.compile(r"([0-9A-F]{35}):([0-9]+)")


class Unanswered(Exception):
    """The service could not be asked, or does not say. Tells why, and nothing of the password."""


def is_breached(password: str, *, url: str, seconds: float) -> bool:
    """Ask whether a password has appeared in a data breach, for so many seconds at most.

    Raises Unanswered.
    """
    digest = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()
    answer: Future[str] = Future()
    # In a thread, which can be left alone: the look-up of a name, and an answer that comes in
    # drops, are not bounded by the time-out of a request.
    asking = Thread(target=_ask, args=(url + digest[:TOLD], seconds, answer), daemon=True)
    try:
        asking.start()
        counts = _counts(answer.result(seconds))
    except Unanswered:
        raise
    except Exception as error:
        # Each way to fail has its own. What it says is left out: the address is in it.
        raise Unanswered(type(error).__name__) from None
    return counts.get(digest[TOLD:], 0) > 0


def _ask(url: str, seconds: float, answer: Future[str]) -> None:
    try:
        answer.set_result(_answer(url, seconds))
    except Exception as error:
        answer.set_exception(error)


def _answer(url: str, seconds: float) -> str:
    with requests.get(
        url, headers=HEADERS, timeout=seconds, allow_redirects=False, stream=True
    ) as response:
        if response.status_code != requests.codes.ok:
            raise Unanswered(f"HTTP {response.status_code}")
        body = b""
        for piece in response.iter_content(LONGEST):
            body += piece
            if len(body) > LONGEST:
                raise Unanswered("too long")
    return body.decode()


def _counts(answer: str) -> dict[str, int]:
    """Return how often each password was seen, by the end of its digest."""
    rows = [ROW.fullmatch(line) for line in answer.splitlines()]
    counts = {row[1]: int(row[2]) for row in rows if row}
    # There is a password for each beginning, so none at all is no answer either.
    if not counts or not all(rows):
        raise Unanswered("not understood")
    return counts
