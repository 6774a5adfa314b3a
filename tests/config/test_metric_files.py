"""Several processes count together, however they come and go."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from config.processes import BASE_DIR

pytestmark = pytest.mark.process

COUNTING = """
import os, signal, sys
from config.metric_files import count_in
places = count_in(sys.argv[1])
from prometheus_client import Counter, Gauge
counter = Counter("it", "It.")
gauge = Gauge("now", "Now.", multiprocess_mode="livesum")
counter.inc()
gauge.set(5)
if sys.argv[2] == "fork":
    for _ in range(3):
        child = os.fork()
        if child == 0:
            counter.inc(10)
            os._exit(0)
        os.waitpid(child, 0)
print("counted", flush=True)
if sys.argv[2] == "wait":
    sys.stdin.read()
if sys.argv[2] == "scrape":
    from prometheus_client import CollectorRegistry, generate_latest
    from prometheus_client.multiprocess import MultiProcessCollector
    places.forget_the_dead()
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    print(generate_latest(registry).decode())
"""


class Counting:
    """A process that counts in a directory."""

    def __init__(self, directory: Path, does: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", COUNTING, str(directory), does],
            cwd=BASE_DIR,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "counted\n"

    def end(self, *, killed: bool = False) -> str:
        if killed:
            self.process.kill()
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        with self.process.stdout as said:
            told = said.read()
        self.process.wait(20)
        return told


def test_processes_count_together_and_what_the_dead_counted_stays(tmp_path: Path) -> None:
    one, other = Counting(tmp_path, "wait"), Counting(tmp_path, "wait")
    one.end()
    other.end(killed=True)
    told = Counting(tmp_path, "scrape").end()
    assert "it_total 3.0" in told
    # What the dead said of the present does not.
    assert "now 5.0" in told


def test_files_do_not_grow_with_the_processes_that_come_and_go(tmp_path: Path) -> None:
    for _ in range(4):
        Counting(tmp_path, "end").end()
    told = Counting(tmp_path, "scrape").end()
    assert "it_total 5.0" in told
    assert len(list(tmp_path.glob("counter_*.db"))) == 1


def test_forks_one_after_the_other_take_one_place_beside_their_parents(tmp_path: Path) -> None:
    Counting(tmp_path, "fork").end()
    told = Counting(tmp_path, "scrape").end()
    assert "it_total 32.0" in told
    assert len(list(tmp_path.glob("counter_*.db"))) == 2
