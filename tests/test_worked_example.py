"""docs/build-a-feature.md, followed to the letter in a copy of the project."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from config.processes import BASE_DIR

GUIDE = BASE_DIR / "docs/build-a-feature.md"
# A file's name at the beginning of a paragraph, and the blocks that follow it.
FILE = re.compile(r"^`(?P<name>[\w/]+\.\w+)`", re.MULTILINE)
BLOCK = re.compile(r"^```(?P<kind>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^manage\.py (.+)$", re.MULTILINE)
# With the bytecode, which is still of these files.
LEFT_OUT = shutil.ignore_patterns("screenshots", "pictures", "browser", "html", "language")
PARTS = ("accounts", "bench", "billing", "config", "docs", "orgs", "sandbox", "static")
OTHERS = ("templates", "tests", "tools")
FILES = ("manage.py", "pyproject.toml")
# What the project's tests ask of every key and every event.
ASKED = (
    "tests/billing/test_organization_export.py::"
    "test_every_key_to_an_organization_is_told_or_left_out_for_a_reason",
    "tests/accounts/test_event_log.py::test_every_kind_of_event_is_found_by_a_filter",
)


def follow(guide: str, project: Path) -> list[str]:
    """Write the guide's files and make its changes. Returns the names of those that are new."""
    new = []
    names = list(FILE.finditer(guide))
    ends = [each.start() for each in names[1:]] + [len(guide)]
    for name, end in zip(names, ends, strict=True):
        file = project / name["name"]
        for block in BLOCK.finditer(guide, name.end(), end):
            if block["kind"] == "diff":
                file.write_text(changed(file.read_text(), block["text"]))
            elif block["kind"]:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(block["text"])
                new.append(name["name"])
    for folder in {(project / each).parent for each in new if each.endswith(".py")}:
        (folder / "__init__.py").touch()
    return new


def changed(text: str, diff: str) -> str:
    """Change the one place that the diff speaks of."""
    lines = diff.splitlines(keepends=True)
    before = "".join(line[1:] for line in lines if line[0] in " -")
    after = "".join(line[1:] for line in lines if line[0] in " +")
    assert text.count(before) == 1, f"It is there {text.count(before)} times:\n{before}"
    return text.replace(before, after)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copied = tmp_path_factory.mktemp("worked-example")
    for part in (*PARTS, *OTHERS):
        shutil.copytree(BASE_DIR / part, copied / part, ignore=LEFT_OUT)
    for name in FILES:
        shutil.copy(BASE_DIR / name, copied)
    return copied


def run(project: Path, *command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=project,
        env={
            "PATH": os.environ["PATH"],
            "DEBUG": "true",
            "PYTHONWARNINGS": "ignore:Got an error checking a consistent migration history",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.process
def test_the_worked_example_works(project: Path) -> None:
    guide = GUIDE.read_text()
    new = follow(guide, project)
    assert "notes/services.py" in new
    for command in COMMAND.findall(guide):
        run(project, "django", *command.split(), "--settings=config.settings")
    run(project, "django", "makemigrations", "--check", "--settings=config.settings")
    run(project, "tools.check_migrations")
    written = [name for name in new if name.endswith(".py")]
    run(project, "ruff", "format", "--check", "--no-cache", *written)
    run(project, "ruff", "format", "--no-cache")
    run(project, "ruff", "check", "--no-cache")
    lint_imports = Path(sys.executable).with_name("lint-imports")
    subprocess.run([lint_imports, "--no-logo", "--no-cache"], cwd=project, check=True)
    run(project, "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", "tests/notes", *ASKED)
