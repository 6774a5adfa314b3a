"""docs/operations.md has an entry for each id that commands print, and for no other."""

from __future__ import annotations

import re

from billing.invariants import INVARIANTS as OF_BILLING
from config.processes import BASE_DIR
from orgs.invariants import INVARIANTS as OF_ORGS
from orgs.invariants_of_roles import INVARIANTS as OF_ROLES

GUIDE = (BASE_DIR / "docs/operations.md").read_text()
ROOMS = ("accounts", "orgs", "billing", "config")
# How our system checks name themselves.
CHECK_ID = re.compile(rf'id="((?:{"|".join(ROOMS)})\.[EW]\d+)"')


def entries(title: str) -> dict[str, str]:
    """The entries under a heading of the guide, each by its own heading, in one line."""
    _before, part = GUIDE.split(f"\n## {title}\n")
    part = part.partition("\n## ")[0]
    pieces = part.split("\n### ")[1:]
    pairs = (piece.split("\n", 1) for piece in pieces)
    return {name: " ".join(text.split()) for name, text in pairs}


def test_each_invariant_has_an_entry_that_says_what_to_do() -> None:
    told = entries("Invariants")
    invariants = (*OF_ORGS, *OF_ROLES, *OF_BILLING)
    assert list(told) == [each.id for each in invariants]
    for each in invariants:
        sentence, _, advice = told[each.id].partition("* ")
        assert sentence == f"*{each.sentence}"
        assert advice.endswith(".")


def test_each_system_check_has_an_entry() -> None:
    sources = [path for room in ROOMS for path in (BASE_DIR / room).rglob("*.py")]
    ids = {id for path in sources for id in CHECK_ID.findall(path.read_text())}
    assert "orgs.E001" in ids
    assert entries("System checks").keys() == ids


def test_sections_that_it_names_are_there() -> None:
    for title in re.findall(r"\"(When [^\"]+)\"", GUIDE):
        assert f"## {title}\n" in GUIDE
