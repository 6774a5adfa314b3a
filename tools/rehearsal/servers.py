"""The servers that production stands on, each of our own on this machine, to be started, stopped,
killed and started again."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import redis

from config.processes import BASE_DIR, LOCALHOST, ProcessFailed, RunningProcess, free_port

PATIENCE = 30
# What nginx keeps files for; all of them have places that only root can write.
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
NGINX_SITE = BASE_DIR / "deploy" / "nginx.conf"


class Missing(Exception):
    """This machine lacks a program."""


def program(name: str, *places: str) -> str:
    """Return where a program is. Raises Missing."""
    found = shutil.which(name, path=os.pathsep.join([*places, os.environ["PATH"], "/usr/sbin"]))
    if found is None:
        raise Missing(f"There is no {name} here: install it, for instance with apt-get.")
    return found


def wait_until(is_so: Callable[[], bool], what: str, *, within: float = PATIENCE) -> None:
    """Raises ProcessFailed when it is not so within so many seconds."""
    deadline = time.monotonic() + within
    while not is_so():
        if time.monotonic() > deadline:
            raise ProcessFailed(f"{what} did not come up within {within} s.")
        time.sleep(0.05)


class PostgreSQL:
    """A cluster of its own. PostgreSQL refuses to run as root, so root hands it on."""

    def __init__(self, directory: Path) -> None:
        newest = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1:]
        self._pg_ctl = program("pg_ctl", *map(str, newest))
        self._data = directory / "postgres"
        self._data.mkdir()
        self._port = free_port()
        self.url = f"postgres://postgres@{LOCALHOST}:{self._port}/holdfast"
        self._as_user: list[str] = []
        if os.geteuid() == 0:
            directory.chmod(0o711)
            shutil.chown(self._data, "postgres")
            self._as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        initdb = str(Path(self._pg_ctl).with_name("initdb"))
        options = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"]
        self._run(initdb, f"--pgdata={self._data}", *options)
        self.start()
        with psycopg.connect(self.url.replace("/holdfast", "/postgres"), autocommit=True) as admin:
            admin.execute("CREATE DATABASE holdfast")

    def start(self) -> None:
        options = f"-c port={self._port} -c listen_addresses={LOCALHOST}"
        options += " -c unix_socket_directories=''"
        self._pg("start", f"--log={self._data}/log", f"--options={options}")

    def stop(self, how: str = "fast") -> None:
        """`fast` ends the connections, `immediate` is as a crash: it recovers from its log."""
        self._pg("stop", f"--mode={how}")

    def close(self) -> None:
        self.stop("immediate")

    def rows(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(statement, values).fetchall()

    def _pg(self, *arguments: str) -> None:
        self._run(self._pg_ctl, f"--pgdata={self._data}", "--wait", *arguments)

    def _run(self, *command: str) -> None:
        # Its server goes on, and would hold a pipe open for ever.
        done = subprocess.run(
            [*self._as_user, *command],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        if done.returncode:
            raise ProcessFailed(f"{' '.join(command)} ended with exit code {done.returncode}.")


class Redis:
    """Keeps nothing on disk: to stop it is to flush it."""

    def __init__(self) -> None:
        self._port = free_port()
        self.url = f"redis://{LOCALHOST}:{self._port}/0"
        self._process: RunningProcess | None = None
        self.start()

    def start(self) -> None:
        command = [program("redis-server"), "--bind", LOCALHOST, "--port", str(self._port)]
        self._process = RunningProcess([*command, "--save", "", "--appendonly", "no"])
        client = redis.Redis.from_url(self.url)

        def answers() -> bool:
            try:
                return bool(client.ping())
            except redis.ConnectionError:
                return False

        wait_until(answers, "redis-server")

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()


class Nginx:
    """The site's file as it is shipped, with addresses of this machine in the place of the real."""

    def __init__(self, directory: Path, *, host: str, port: int, upstream: str) -> None:
        self._directory = directory / "nginx"
        self._directory.mkdir()
        self.certificate = self._directory / "certificate.pem"
        key = self._directory / "key.pem"
        subprocess.run(
            [
                *(program("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes"),
                *("-days", "2", "-subj", "/CN=A rehearsal"),
                *("-addext", f"subjectAltName=IP:{host}"),
                *("-keyout", str(key), "-out", str(self.certificate)),
            ],
            check=True,
            capture_output=True,
        )
        # Where it takes plain HTTP.
        self.plain = f"{host}:{free_port()}"
        site = NGINX_SITE.read_text()
        for shipped, here in {
            "server 127.0.0.1:8000": f"server {upstream}",
            "listen 80;": f"listen {self.plain};",
            "listen 443 ssl;": f"listen {host}:{port} ssl;",
            "app.example.com;": f"{host};",
            "/etc/ssl/app.example.com/fullchain.pem": str(self.certificate),
            "/etc/ssl/app.example.com/privkey.pem": str(key),
        }.items():
            if shipped not in site:
                raise ProcessFailed(f"{NGINX_SITE} has no {shipped!r} any more.")
            site = site.replace(shipped, here)
        places = "\n".join(f"{each}_temp_path {self._directory}/{each};" for each in TEMPORARY)
        configuration = self._directory / "nginx.conf"
        configuration.write_text(
            f"daemon off; error_log stderr; pid {self._directory}/pid;\n"
            f"events {{}}\nhttp {{ access_log off; {places}\n{site}\n}}\n"
        )
        self._command = [program("nginx"), "-c", str(configuration), "-p", str(self._directory)]

    def start(self) -> RunningProcess:
        return RunningProcess(self._command)


class SQLite:
    """A file on a small disk of its own, which can be filled. Only root can make one."""

    SIZE = "64m"

    def __init__(self, directory: Path) -> None:
        self._disk = directory / "disk"
        self._disk.mkdir()
        if os.geteuid():
            raise Missing("Only root can make the small disk that is filled here.")
        subprocess.run(
            [program("mount"), "-t", "tmpfs", "-o", f"size={self.SIZE}", "tmpfs", str(self._disk)],
            check=True,
        )
        self._file = self._disk / "holdfast.sqlite3"
        self._ballast = self._disk / "ballast"
        self.url = f"sqlite:///{self._file}"

    def fill(self, *, seconds: float) -> None:
        """Leave not a page free, for so long; nor room in SQLite's own log."""
        until = time.monotonic() + seconds
        with closing(sqlite3.connect(self._file, timeout=20)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with self._ballast.open("wb", buffering=0) as ballast:
            while time.monotonic() < until:
                try:
                    ballast.write(bytes(4096))
                except OSError:
                    time.sleep(0.1)

    def free(self) -> None:
        self._ballast.unlink()

    def rows(self, statement: str, *values: Any) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(self._file, timeout=20)) as connection:
            return connection.execute(statement.replace("%s", "?"), values).fetchall()

    def close(self) -> None:
        subprocess.run([program("umount"), str(self._disk)], check=True)
