"""The audit of what is locked: clean, vulnerable, and not done are three different answers."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from config.processes import BASE_DIR
from tools.audit import read

KNOWN = {
    "id": "PYSEC-2026-1",
    "aliases": ["CVE-2026-1"],
    "summary": "Whoever asks is let in.",
    "affected": [
        {
            "package": {"name": "holdfast-example", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.1"}]}],
        }
    ],
}


class Database(BaseHTTPRequestHandler):
    """Speaks as osv.dev does, and knows one vulnerability."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        known = [KNOWN] if asked["version"] == "1.0" else []
        body = json.dumps({"vulns": known} if known else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Database)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1/query"
    server.shutdown()
    server.server_close()


def audit(folder: Path, version: str, url: str) -> subprocess.CompletedProcess[str]:
    lock = folder / "lock.txt"
    lock.write_text(f"holdfast-example=={version} --hash=sha256:{'0' * 64}\n")
    return subprocess.run(
        [sys.executable, "tools/audit.py", "--osv-url", url, lock],
        cwd=BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.process
def test_a_known_vulnerability_fails_and_is_named(tmp_path: Path, database: str) -> None:
    run = audit(tmp_path, "1.0", database)
    assert run.returncode == 1, run.stdout
    assert "holdfast-example 1.0 is vulnerable: PYSEC-2026-1 CVE-2026-1" in run.stdout
    assert "mended in: 1.1" in run.stdout


@pytest.mark.process
def test_what_nothing_is_known_against_passes(tmp_path: Path, database: str) -> None:
    run = audit(tmp_path, "1.1", database)
    assert run.returncode == 0, run.stdout
    assert "nothing is known against its 1 packages" in run.stdout


@pytest.mark.process
def test_a_database_that_is_out_of_reach_does_not_pass(tmp_path: Path) -> None:
    run = audit(tmp_path, "1.1", "http://127.0.0.1:1/v1/query")
    assert run.returncode == 75, run.stdout
    assert "NOT DONE" in run.stdout


def test_a_package_that_the_database_does_not_know_is_not_taken_for_a_sound_one() -> None:
    """As a mirror of PyPI answers that has the packages alone."""
    told = {"dependencies": [{"name": "django", "skip_reason": "not found on PyPI"}]}
    report = read(told)
    assert report.asked == 0
    assert report.skipped == ["django could not be asked about: not found on PyPI"]


def test_ci_says_at_its_very_end_what_was_not_done() -> None:
    """A run without a network does not fail, and does not look like one that asked."""
    script = (BASE_DIR / ".ci/run").read_text()
    last = script.rstrip().splitlines()[-1]
    assert "NOT DONE" in last
    assert '<"$not_done"' in last
