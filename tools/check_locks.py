"""Exits 1, saying why, unless requirements*.txt are what requirements*.in ask for.

It reads files only; whether there are newer versions is for `make lock UPGRADE=--upgrade`.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PINNED = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(?:\[[^]]*])?==(?P<version>[^ ;\\]+)")


def main() -> None:
    complaints = [*_complaints("requirements"), *_complaints("requirements-dev")]
    runtime, development = _pins("requirements"), _pins("requirements-dev")
    complaints += [
        f"{name} is {version} in requirements.txt, but {development.get(name)} for development"
        for name, version in runtime.items()
        if development.get(name) != version
    ]
    if complaints:
        sys.exit("\n".join([*complaints, "Run `make lock`."]))


def _complaints(stem: str) -> Iterator[str]:
    pins = _pins(stem)
    asked = {str(canonicalize_name(wish.name)): wish for wish in _wishes(stem)}
    for name, wish in asked.items():
        if name not in pins:
            yield f"{stem}.in asks for {wish}, which {stem}.txt lacks"
        elif not wish.specifier.contains(pins[name], prereleases=True):
            yield f"{stem}.in asks for {wish}, but {stem}.txt has {pins[name]}"
    for name in _named_as_asked_for(stem) - set(asked):
        yield f"{stem}.txt has {name} for {stem}.in, which does not ask for it"


def _wishes(stem: str) -> Iterator[Requirement]:
    for line in Path(f"{stem}.in").read_text().splitlines():
        wish = line.partition("#")[0].strip()
        if wish and not wish.startswith("-"):
            yield Requirement(wish)


def _pins(stem: str) -> dict[str, str]:
    return {name: version for name, version, _ in _blocks(stem)}


def _named_as_asked_for(stem: str) -> set[str]:
    return {name for name, _, reasons in _blocks(stem) if f"-r {stem}.in" in reasons}


def _blocks(stem: str) -> Iterator[tuple[str, str, str]]:
    """Yield each locked package: its name, its version, and what uv says it is there for."""
    text = Path(f"{stem}.txt").read_text()
    for block in re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE):
        if match := PINNED.match(block):
            yield canonicalize_name(match["name"]), match["version"], block


if __name__ == "__main__":
    main()
