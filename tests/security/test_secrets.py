"""Each secret comes from the environment or from a file, and what is wrong with it is said."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from config.processes import BASE_DIR, ManagedProcess
from tests.environment import VALUES

pytestmark = pytest.mark.process

POSTGRES = "postgres://holdfast:p%40ss@db.example:5432/holdfast"
# What each is given, and what the settings then hold.
SECRETS: dict[str, tuple[str, str, object]] = {
    "SECRET_KEY": ("only-for-this-test", "SECRET_KEY", "only-for-this-test"),
    "SECRET_KEY_FALLBACKS": ("one,two", "SECRET_KEY_FALLBACKS", ["one", "two"]),
    "ENCRYPTION_KEY": ("only-for-this-test", "ENCRYPTION_KEY", "only-for-this-test"),
    "ENCRYPTION_KEY_FALLBACKS": ("one,two", "ENCRYPTION_KEY_FALLBACKS", ["one", "two"]),
    "DATABASE_URL": (POSTGRES, "DATABASES['default']['PASSWORD']", "p@ss"),
    "CACHE_URL": (
        "redis://:word@cache.example:6379/0",
        "CACHES['default']['LOCATION']",
        "redis://:word@cache.example:6379/0",
    ),
    "EMAIL_URL": ("smtp+tls://me:word@mail.example:587", "EMAIL_HOST_PASSWORD", "word"),
    "STRIPE_SECRET_KEY": ("sk_live_only_here", "STRIPE_LIVE_MODE", True),
    "REDIS_URL": (
        "redis://:word@queue.example:6379/0",
        "REDIS_URL",
        "redis://:word@queue.example:6379/0",
    ),
    "METRICS_TOKEN": ("only-for-scrapes", "METRICS_TOKEN", "only-for-scrapes"),
}


NEEDED = ("SECRET_KEY", "ENCRYPTION_KEY")


def settings_say(what: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Start Python with the settings of production, and have it tell one of them."""
    clean = {
        name: value
        for name, value in os.environ.items()
        if name.removesuffix("_FILE") not in SECRETS | VALUES
    }
    script = f"import json; from config import settings; print(json.dumps(settings.{what}))"
    return subprocess.run(
        [sys.executable, "-c", script],
        cwd=BASE_DIR,
        env=clean | dict.fromkeys(NEEDED, "x") | env,
        capture_output=True,
        text=True,
        check=False,
    )


def test_these_are_all_that_the_example_says_can_be_in_a_file() -> None:
    text = (BASE_DIR / ".env.example").read_text()
    assert {name for name in SECRETS if f"{name}_FILE" in text} == set(SECRETS)


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("ending", ["", "\n", "\r\n"], ids=["bare", "newline", "windows"])
def test_a_secret_is_read_from_the_file_that_is_named(
    tmp_path: Path, name: str, ending: str
) -> None:
    value, what, expected = SECRETS[name]
    file = tmp_path / "secret"
    file.write_bytes(f"{value}{ending}".encode())
    env = {f"{name}_FILE": str(file)} | ({name: ""} if name in NEEDED else {})
    run = settings_say(what, **env)
    assert run.stderr == ""
    assert json.loads(run.stdout) == expected


@pytest.mark.parametrize("name", SECRETS)
def test_it_is_the_same_as_by_the_environment(name: str) -> None:
    value, what, expected = SECRETS[name]
    assert json.loads(settings_say(what, **{name: value}).stdout) == expected


@pytest.mark.parametrize("name", NEEDED)
def test_without_it_nothing_starts(name: str) -> None:
    run = settings_say("DEBUG", **{name: ""})
    assert run.returncode == 1
    assert f"{name} is not set. Set it, or {name}_FILE," in run.stderr


def write(folder: Path, content: bytes) -> Path:
    file = folder / "secret"
    file.write_bytes(content)
    return file


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "which cannot be read: No such file or directory."),
        (b"", "which is empty."),
        (b"\n", "which is empty."),
        (b"\xff\xfe\x00sec\xe9ret", "which cannot be read: it is no text in UTF-8."),
    ],
    ids=["missing", "empty", "a newline alone", "no text"],
)
def test_a_file_that_holds_no_secret_is_said_to(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    file = tmp_path / "secret" if content is None else write(tmp_path, content)
    run = settings_say("DEBUG", SECRET_KEY="", SECRET_KEY_FILE=str(file))
    assert run.returncode == 1
    last = run.stderr.strip().splitlines()[-1]
    assert last.endswith(f"SECRET_KEY_FILE names {file}, {said}")
    assert "sec\\xe9ret" not in run.stderr


def test_one_that_is_no_file_is_said_to_be(tmp_path: Path) -> None:
    run = settings_say("DEBUG", STRIPE_SECRET_KEY_FILE=str(tmp_path))
    assert run.returncode == 1
    assert "STRIPE_SECRET_KEY_FILE names" in run.stderr
    assert "Is a directory" in run.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_one_that_may_not_be_read_is_said_to_be(tmp_path: Path) -> None:
    file = write(tmp_path, b"secret")
    file.chmod(0)
    run = settings_say("DEBUG", SECRET_KEY="", SECRET_KEY_FILE=str(file))
    assert "which cannot be read: Permission denied." in run.stderr


def test_of_two_that_are_set_neither_is_guessed(tmp_path: Path) -> None:
    file = write(tmp_path, b"in the file")
    run = settings_say("SECRET_KEY", SECRET_KEY="in the environment", SECRET_KEY_FILE=str(file))
    assert run.returncode == 1
    assert "SECRET_KEY and SECRET_KEY_FILE are both set. Leave one out." in run.stderr
    assert "in the file" not in run.stderr


def test_a_whole_command_runs_by_files(tmp_path: Path) -> None:
    """And none of its children has the secret in its environment."""
    file = write(tmp_path, b"only-in-the-file\n")
    env = {"SECRET_KEY": "", "SECRET_KEY_FILE": str(file), "DEBUG": "false"}
    show = "import os; from django.conf import settings as s; print(s.SECRET_KEY, dict(os.environ))"
    with ManagedProcess("shell", "--no-imports", "-c", show, env=env) as process:
        process.wait()
    told, environment = process.output.split(" ", 1)
    assert told == "only-in-the-file"
    assert "only-in-the-file" not in environment
