"""Dockerfile and compose.yaml, as far as they can be held to what they say without an engine."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from config.processes import BASE_DIR, free_port
from tests.config.test_production import PRODUCTION
from tests.deploy.files import COMPOSE, SERVICES, instructions

DOCKERFILE = instructions()
IGNORED = (BASE_DIR / ".dockerignore").read_text().splitlines()
INCLUDED = [line[1:] for line in IGNORED if line.startswith("!")]
# Made with the first language that is translated.
NOT_YET = {"locale"}
# Read by gunicorn, libpq, prometheus-client and Python themselves.
OF_OTHERS = {
    "PORT",
    "PROMETHEUS_MULTIPROC_DIR",
    "PATH",
    "PYTHONUNBUFFERED",
    "PYTHONDONTWRITEBYTECODE",
}
OF_PIP = {"PIP_NO_CACHE_DIR", "PIP_DISABLE_PIP_VERSION_CHECK"}
READ = re.compile(r"env(?:\.\w+)?\(\s*\"([A-Z_]+)\"")


def known_variables() -> set[str]:
    read = set(READ.findall((BASE_DIR / "config/settings.py").read_text()))
    # A secret may stand in a file.
    return read | {f"{name}_FILE" for name in read} | OF_OTHERS


def of(verb: str) -> list[str]:
    return [rest for each, rest in DOCKERFILE if each == verb]


def test_the_base_is_pinned_and_has_the_python_of_the_locks() -> None:
    compiled_for = re.search(r"--python-version (\S+)", (BASE_DIR / "Makefile").read_text())
    assert compiled_for is not None
    for base in of("FROM"):
        image = re.fullmatch(r"python:(\d+\.\d+)\.\d+-slim-\w+(?: AS \w+)?", base)
        assert image is not None, base
        assert image[1] == compiled_for[1]


def test_packages_are_installed_by_their_hashes() -> None:
    (install,) = (rest for rest in of("RUN") if "pip" in rest and "install" in rest)
    command = json.loads(install)
    assert command[1:] == ["install", "--require-hashes", "--requirement", "/requirements.txt"]


def test_it_runs_as_a_person_without_rights_and_nothing_is_done_after() -> None:
    verbs = [verb for verb, _ in DOCKERFILE]
    assert re.fullmatch(r"[1-9]\d{4}:[1-9]\d{4}", of("USER")[0])
    assert not {"RUN", "COPY", "ADD"} & set(verbs[verbs.index("USER") :])


def test_signals_reach_the_server_without_a_shell_in_between() -> None:
    assert json.loads(of("CMD")[0]) == COMPOSE["services"]["web"]["command"]
    for each in SERVICES.values():
        assert isinstance(each["command"], list)


def test_no_secret_is_in_a_layer() -> None:
    told = " ".join(of("ENV") + of("ARG"))
    assert not re.search(r"SECRET|KEY|PASSWORD|TOKEN|DATABASE_URL", told)
    assert {"!.env", "!secrets", "!var"}.isdisjoint(IGNORED)
    for each in SERVICES.values():
        for name, value in each["environment"].items():
            if re.search(r"KEY|PASSWORD|TOKEN|_URL_FILE$", name):
                assert value.startswith("/run/secrets/"), name
                assert value.removeprefix("/run/secrets/") in each["secrets"]
    assert "/secrets/" in (BASE_DIR / ".gitignore").read_text().splitlines()


def test_every_variable_is_one_that_something_reads() -> None:
    named = {
        word.partition("=")[0] for line in of("ENV") for word in shlex.split(line) if "=" in word
    }
    named |= {
        word.partition("=")[0]
        for line in of("RUN")
        for word in shlex.split(line)
        if re.match(r"[A-Z_]+=", word)
    }
    for each in SERVICES.values():
        named |= each["environment"].keys()
    assert named - known_variables() - OF_PIP == set()


@pytest.mark.parametrize("name", [*SERVICES, "manage"])
def test_nothing_of_ours_writes_but_where_it_is_let(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["tmpfs"] == ["/tmp"]
    volumes = dict(volume.split(":") for volume in service["volumes"])
    assert volumes.keys() <= COMPOSE["volumes"].keys()
    assert service["environment"]["PROMETHEUS_MULTIPROC_DIR"] in volumes.values()
    # The database is none of its files.
    assert "DATABASE_URL_FILE" in service["environment"]
    assert set(service["secrets"]) <= COMPOSE["secrets"].keys()


def test_what_stands_beside_it_is_pinned_and_keeps_its_data() -> None:
    for name in ("db", "redis"):
        service = COMPOSE["services"][name]
        assert re.fullmatch(r"\w+:\d+-\w+", service["image"])
        (volume,) = service["volumes"]
        assert COMPOSE["volumes"][volume.partition(":")[0]] == {}


def test_nothing_starts_before_the_database_is_migrated() -> None:
    for name, each in SERVICES.items():
        waits = {other: how["condition"] for other, how in each["depends_on"].items()}
        if name == "migrate":
            assert waits == {"db": "service_healthy", "redis": "service_healthy"}
            assert each["restart"] == "no"
        else:
            assert waits["migrate"] == "service_completed_successfully"
    assert COMPOSE["services"]["worker"]["deploy"]["replicas"] == 2


def test_image_and_compose_ask_the_same_of_the_server() -> None:
    _options, test = of("HEALTHCHECK")[0].split(" CMD ")
    asked = COMPOSE["services"]["web"]["healthcheck"]["test"]
    assert ["CMD", *json.loads(test)] == asked
    others = [each["healthcheck"] for name, each in SERVICES.items() if name != "web"]
    assert all(each == {"disable": True} for each in others)


@contextmanager
def server(status: int) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/health/live" else 404)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running.server_port
        running.shutdown()


def is_healthy(port: int) -> bool:
    script = BASE_DIR / "deploy/healthcheck.py"
    env = {"PORT": str(port), "http_proxy": "http://127.0.0.1:1"}
    return subprocess.run([sys.executable, script], env=env, capture_output=True).returncode == 0


@pytest.mark.process
def test_the_health_check_tells_a_server_that_lives_from_one_that_does_not() -> None:
    with server(200) as port:
        assert is_healthy(port)
    with server(500) as port:
        assert not is_healthy(port)
    assert not is_healthy(free_port())


def holds(path: str) -> bool:
    """Whether .dockerignore lets this file into the image: the last line that speaks of it says."""
    is_in = True
    for line in IGNORED:
        pattern = line.lstrip("!")
        if line.startswith("#"):
            continue
        parents = [path, *map(str, Path(path).parents)]
        if pattern.startswith("**/"):
            hit = any(Path(each).name == pattern[3:] for each in parents)
        else:
            hit = any(
                fnmatch(each, pattern) and each.count("/") == pattern.count("/") for each in parents
            )
        if hit:
            is_in = line.startswith("!")
    return is_in


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `COPY . .` makes, of what git knows and of what a developer's directory has besides."""
    tree = tmp_path_factory.mktemp("image")
    tops = {each.name for each in BASE_DIR.iterdir()} - {".git", ".venv", "var"}
    for top in sorted(tops):
        found = [BASE_DIR / top, *(BASE_DIR / top).rglob("*")]
        for file in (each for each in found if each.is_file()):
            name = str(file.relative_to(BASE_DIR))
            if holds(name):
                (tree / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, tree / name)
    return tree


def test_every_line_lets_something_in() -> None:
    missing = [line for line in INCLUDED if not list(BASE_DIR.glob(line))]
    assert set(missing) <= NOT_YET


def test_the_image_has_what_runs_and_nothing_else(image: Path) -> None:
    tops = {each.name for each in image.iterdir()}
    assert {"accounts", "orgs", "billing", "config", "templates", "static", "manage.py"} <= tops
    assert not {"tests", "sandbox", "tools", "bench", "docs", "var", "secrets", ".env"} & tops
    assert [each.name for each in (image / "deploy").iterdir()] == ["healthcheck.py"]
    assert not holds(".env") and not holds("secrets/secret_key") and not holds("var/demo.sqlite3")


RUN = """
import django
django.setup()
from django.core.management import call_command
from django.test import Client
call_command("check")
print(Client(headers={"host": "app.example.com"}).get("/accounts/login/", secure=True).status_code)
"""


@pytest.mark.process
def test_the_product_runs_from_the_image_and_writes_nothing_into_it(
    image: Path, tmp_path: Path
) -> None:
    env = {
        **PRODUCTION,
        "PATH": os.environ["PATH"],
        "PYTHONDONTWRITEBYTECODE": "1",
        "STATIC_ROOT": str(tmp_path / "static"),
        "DATABASE_URL": f"sqlite:///{tmp_path}/empty.sqlite3",
        "CACHE_URL": "locmemcache://",
        "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "metrics"),
    }
    (collect,) = (rest for rest in of("RUN") if "collectstatic" in rest)
    command = collect.partition("python ")[2].partition(" &&")[0].split()
    built_with = {"SECRET_KEY": "for-collectstatic-alone", "ENCRYPTION_KEY": "as-well"}
    before = sorted(image.rglob("*"))
    for arguments, more in ((command, built_with), (["-c", RUN], {})):
        done = subprocess.run(
            [sys.executable, *arguments], cwd=image, env=env | more, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("200\n")
    assert (tmp_path / "static/staticfiles.json").exists()
    assert sorted(image.rglob("*")) == before
