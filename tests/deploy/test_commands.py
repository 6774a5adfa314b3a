"""What runs, in containers, under systemd and by the Procfile: the same, and all of it is there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from config.processes import BASE_DIR
from tests.commands import wrong_commands
from tests.deploy.files import COMPOSE, PROCFILE, SERVICES, UNITS, sections

GUIDES = [*sorted((BASE_DIR / "docs").glob("*.md")), BASE_DIR / "README.md"]
# Up to the end of the code, or a mark that stands for more.
MANAGE = re.compile(r"(?:^|`|run --rm )(?:\S*python )?manage\.py ([a-z_]+(?: [^`\n…]+)?)", re.M)
DAILY = re.compile(r"holdfast-daily@\{([\w,]+)\}\.timer")
UNIT_OF = {
    "web": "holdfast-web.service",
    "worker": "holdfast-worker@.service",
    "sweep": "holdfast-sweep.service",
    "migrate": "holdfast-migrate.service",
}


def of_unit(name: str) -> str:
    line = sections(UNITS / name)["Service"]["ExecStart"]
    return line.removeprefix("/srv/holdfast/.venv/bin/")


@pytest.mark.parametrize("what", UNIT_OF)
def test_everywhere_the_same_command_runs(what: str) -> None:
    in_a_container = " ".join(COMPOSE["services"][what]["command"])
    assert PROCFILE["release" if what == "migrate" else what] == in_a_container
    assert of_unit(UNIT_OF[what]) == in_a_container


def test_every_command_exists_with_its_options() -> None:
    written = set(PROCFILE.values()) | {" ".join(each["command"]) for each in SERVICES.values()}
    named = {line.partition("manage.py ")[2] for line in written if "manage.py" in line}
    assert len(named) == 3
    assert wrong_commands(named) == {}


def told(guide: Path) -> set[str]:
    lines = MANAGE.findall(guide.read_text())
    return {re.split(r" [#>&|(]|[.,;:]$", line)[0].strip() for line in lines}


@pytest.mark.process
def test_every_command_that_a_guide_names_exists_with_its_options() -> None:
    lines = set().union(*(told(guide) for guide in GUIDES))
    assert len(lines) > 20
    assert wrong_commands(lines) == {}


def daily() -> list[str]:
    found = DAILY.search((BASE_DIR / "docs/operations.md").read_text())
    assert found is not None
    return found[1].split(",")


def test_what_runs_daily_exists_and_is_explained() -> None:
    guide = (BASE_DIR / "docs/operations.md").read_text()
    assert wrong_commands(daily()) == {}
    assert [name for name in daily() if f"| `manage.py {name}` |" not in guide] == []
    # Whatever says that it is to be run daily.
    said = {
        path.stem
        for path in BASE_DIR.glob("*/management/commands/*.py")
        if "Run it daily" in path.read_text()
    }
    assert said <= set(daily())


def test_every_unit_that_the_guide_names_exists() -> None:
    guide = (BASE_DIR / "docs/operations.md").read_text()
    units = {each.name.partition(".")[0].rstrip("@") for each in UNITS.iterdir()}
    named = set(re.findall(r"\bholdfast-[a-z]*", guide))
    assert {"holdfast-web", "holdfast-daily", "holdfast-migrate"} <= named <= units


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze")
def test_systemd_understands_every_unit(tmp_path: Path) -> None:
    """With programs that are there, in the place of those that an installation has."""
    shutil.copytree(UNITS, tmp_path, dirs_exist_ok=True)
    for unit in tmp_path.glob("*.service"):
        unit.write_text(re.sub(r"=/srv/\S+", "=/bin/true", unit.read_text()))
    units = [each.name.replace("@.", "@1.") for each in UNITS.iterdir() if each.is_file()]
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units],
        env=os.environ | {"SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
        capture_output=True,
        text=True,
    )
    ours = [line for line in done.stderr.splitlines() if "holdfast" in line]
    assert (ours, done.returncode) == ([], 0)


def test_no_unit_may_do_more_than_it_needs() -> None:
    limits = sections(UNITS / "holdfast-.service.d/hardening.conf")["Service"]
    assert limits["User"] == "holdfast"
    assert limits["ProtectSystem"] == "strict"
    assert limits["NoNewPrivileges"] == limits["ProtectHome"] == limits["PrivateTmp"] == "yes"
    assert limits["CapabilityBoundingSet"] == ""
    # The drop-in reaches those whose name begins so.
    assert all(each.name.startswith("holdfast-") for each in UNITS.iterdir())
    for unit in UNITS.glob("*.service"):
        assert not sections(unit)["Service"].keys() & limits.keys(), unit.name


def test_what_is_told_to_end_is_waited_for() -> None:
    for name in ("web", "worker", "sweep"):
        assert SERVICES[name]["stop_grace_period"] == "45s"
        assert sections(UNITS / UNIT_OF[name])["Service"]["TimeoutStopSec"] == "45"
