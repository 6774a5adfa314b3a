"""Looks whether a vulnerability is known of what is locked: `make audit`.

Exits 0 when each package was asked about and none has one, 1 when some has, and 75 when not all
could be asked about, as without a network: then it says so, and proves nothing.

    python tools/audit.py [--osv-url URL] [requirements-dev.txt …]

It asks PyPI, or with `--osv-url` a service that speaks as osv.dev does.
"""

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# It has all of requirements.txt, in the same versions (tools/check_locks.py).
LOCKS = ["requirements-dev.txt"]
VULNERABLE = 1
# EX_TEMPFAIL: try again when there is a network.
NOT_DONE = 75
# So many are named of those that could not be asked about.
SHOWN = 5


@dataclass(frozen=True)
class Report:
    """What is known of one lock's packages, a line for each vulnerability."""

    asked: int
    vulnerable: list[str]
    # Of which nothing is known, with the reason.
    skipped: list[str]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--osv-url")
    parser.add_argument("locks", nargs="*", default=LOCKS)
    options = parser.parse_args()
    outcomes = {_audit(Path(lock), options.osv_url) for lock in options.locks}
    sys.exit(VULNERABLE if VULNERABLE in outcomes else max(outcomes))


def _audit(lock: Path, osv_url: str | None) -> int:
    run = _ask(lock, osv_url)
    try:
        report = read(json.loads(run.stdout))
    except ValueError:
        said = run.stderr.strip().splitlines() or ["it said nothing"]
        print(f"{lock}: NOT DONE, the database of vulnerabilities is out of reach: {said[-1]}")
        return NOT_DONE
    for line in (*report.vulnerable, *report.skipped[:SHOWN]):
        print(f"{lock}: {line}")
    if report.vulnerable:
        return VULNERABLE
    if report.skipped or not report.asked:
        total = report.asked + len(report.skipped)
        print(f"{lock}: NOT DONE, only {report.asked} of {total} packages could be asked about")
        return NOT_DONE
    print(f"{lock}: nothing is known against its {report.asked} packages")
    return 0


def _ask(lock: Path, osv_url: str | None) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(lock)]
    # The lock is all there is to it: nothing is resolved, and nothing installed.
    command += ["--require-hashes", "--disable-pip", "--format", "json"]
    command += ["--progress-spinner", "off", "--desc", "off"]
    if osv_url:
        command += ["--vulnerability-service", "osv", "--osv-url", osv_url]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def read(told: dict[str, Any]) -> Report:
    """Return what pip-audit told, as JSON."""
    asked, vulnerable, skipped = 0, [], []
    for each in told["dependencies"]:
        if "skip_reason" in each:
            skipped.append(f"{each['name']} could not be asked about: {each['skip_reason']}")
            continue
        asked += 1
        for found in each["vulns"]:
            mended = ", ".join(found["fix_versions"]) or "none yet"
            names = " ".join([found["id"], *found.get("aliases", [])])
            what = f"{each['name']} {each['version']} is vulnerable: {names}; mended in: {mended}"
            vulnerable.append(what)
    return Report(asked, vulnerable, skipped)


if __name__ == "__main__":
    main()
