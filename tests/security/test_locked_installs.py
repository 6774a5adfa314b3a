"""What is installed is what was locked, to the byte."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from config.processes import BASE_DIR

NAME = "holdfast_locked_example"
LOCKS = ["requirements.txt", "requirements-dev.txt"]


@pytest.mark.parametrize("lock", LOCKS)
def test_each_package_is_locked_to_a_version_and_hashes(lock: str) -> None:
    text = re.sub(r"^\s*#.*\n", "", (BASE_DIR / lock).read_text(), flags=re.MULTILINE)
    blocks = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]
    assert len(blocks) > 30
    for block in blocks:
        assert re.match(r"[A-Za-z0-9._-]+(\[[^]]*])?==\S+", block), block
        assert "--hash=sha256:" in block, block
    # Nor from anywhere else than the index.
    assert not re.search(r"^\s*(-[^-]|--(?!hash))|://|@ ", text, re.MULTILINE)


def make_wheel(folder: Path) -> str:
    """Make a package, and return the hash of its file."""
    wheel = folder / f"{NAME}-1.0-py3-none-any.whl"
    info = f"{NAME}-1.0.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(f"{NAME}.py", "")
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {NAME}\nVersion: 1.0\n")
        tag = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        archive.writestr(f"{info}/WHEEL", tag)
        archive.writestr(f"{info}/RECORD", "")
    return hashlib.sha256(wheel.read_bytes()).hexdigest()


def install(folder: Path, line: str) -> subprocess.CompletedProcess[str]:
    """Install as `make install` does, from a folder instead of the index."""
    lock = folder / "lock.txt"
    lock.write_text(f"--no-index\n--find-links {folder}\n{line}\n")
    return subprocess.run(
        [sys.executable, "tools/install.py", folder / "venv", lock],
        cwd=BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )


def is_installed(folder: Path) -> bool:
    return any((folder / "venv").rglob(f"{NAME}.py"))


@pytest.mark.process
def test_a_package_that_is_not_the_one_that_was_locked_is_refused(tmp_path: Path) -> None:
    right = make_wheel(tmp_path)
    pinned = f"{NAME}==1.0"
    altered = install(tmp_path, f"{pinned} --hash=sha256:{'0' * 64}")
    assert altered.returncode != 0
    assert "is not the one that" in altered.stderr
    assert not is_installed(tmp_path)
    unlocked = install(tmp_path, pinned)
    assert unlocked.returncode != 0
    assert not is_installed(tmp_path)
    assert install(tmp_path, f"{pinned} --hash=sha256:{right}").returncode == 0
    assert is_installed(tmp_path)
