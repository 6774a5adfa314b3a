"""What stands in the files that deploy, read without an engine."""

from __future__ import annotations

import re
from configparser import RawConfigParser
from pathlib import Path
from typing import Any

import yaml

from config.processes import BASE_DIR

UNITS = BASE_DIR / "deploy/systemd"
COMPOSE: dict[str, Any] = yaml.safe_load((BASE_DIR / "compose.yaml").read_text())
# Those of ours that run from the image.
SERVICES: dict[str, Any] = {
    name: each
    for name, each in COMPOSE["services"].items()
    if each["image"] == "holdfast" and name != "manage"
}
PROCFILE = dict(line.split(": ", 1) for line in (BASE_DIR / "Procfile").read_text().splitlines())


def sections(unit: Path) -> dict[str, dict[str, str]]:
    """A unit's sections. Of a key that is there twice, the last counts."""
    parser = RawConfigParser(strict=False, delimiters="=", comment_prefixes="#")
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(unit)
    return {name: dict(parser[name]) for name in parser.sections()}


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's, each with what follows it on one line."""
    text = re.sub(r"^#.*\n", "", (BASE_DIR / "Dockerfile").read_text(), flags=re.MULTILINE)
    joined = re.sub(r"\s*\\\n\s*", " ", text)
    pairs = (line.split(" ", 1) for line in joined.splitlines() if line)
    return [(verb, rest) for verb, rest in pairs]
