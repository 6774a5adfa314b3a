"""docs/asvs.md leaves no requirement out, and names nothing that is not there."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from config.processes import BASE_DIR

PAGE = BASE_DIR / "docs/asvs.md"
VERDICTS = ("met", "met otherwise", "not met", "not applicable", "left to the operator")
ROW = re.compile(
    r"^\| (?P<id>[\d.]+) \| (?P<level>\d) \| (?P<asks>.+?) \| (?P<verdict>.+) \|$", re.M
)
LINK = re.compile(r"\]\(([^)#]+)\)")


def rows() -> list[re.Match[str]]:
    return list(ROW.finditer(PAGE.read_text()))


def test_each_requirement_up_to_level_two_has_one_row_at_its_level() -> None:
    listed = Path(__file__).with_name("asvs-5.0.0.txt").read_text()
    wanted = [tuple(line.split()) for line in listed.splitlines()]
    # As many as OWASP says that there are.
    assert Counter(level for _, level in wanted) == {"1": 70, "2": 183}
    assert [(row["id"], row["level"]) for row in rows()] == wanted


def test_each_row_has_a_verdict_with_its_reason() -> None:
    for row in rows():
        verdict, _, reason = row["verdict"].partition(": ")
        assert verdict in VERDICTS, row["id"]
        assert len(reason) > 3, row["id"]


def test_the_numbers_at_the_top_are_those_of_the_rows() -> None:
    counts = Counter(row["verdict"].partition(":")[0] for row in rows())
    met, otherwise, missing, nothing, operator = (counts[each] for each in VERDICTS)
    top = " ".join(PAGE.read_text().split("## ")[0].split())
    assert (
        f"Of {len(rows())}, {met} are met, {otherwise} otherwise than it is asked for, {missing} "
        f"are not met, {operator} are left to whoever runs Holdfast, and {nothing} speak of what "
        "there is not." in top
    )


def test_what_is_not_met_as_it_is_asked_for_is_told_first() -> None:
    text = PAGE.read_text()
    (listed,) = re.findall(r"## Not met, or met otherwise\n\n(.*?)\n\n##", text, re.DOTALL)
    told = re.findall(r"^- ([\d.]+): ", listed, re.MULTILINE)
    assert told == [
        row["id"] for row in rows() if row["verdict"].startswith(("not met", "met otherwise"))
    ]


@pytest.mark.parametrize("page", ["asvs.md", "threat-model.md", "keys.md"])
def test_what_is_named_is_there(page: str) -> None:
    text = (BASE_DIR / "docs" / page).read_text()
    named = {link for link in LINK.findall(text) if not link.startswith("https://")}
    assert len(named) > 3
    assert {link for link in named if not (BASE_DIR / "docs" / link).exists()} == set()
