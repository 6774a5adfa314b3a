"""The product as in production, on this machine: a database, Redis, gunicorn with two processes,
two workers, the sweep and nginx with TLS, and Stripe's stand-in beside them.

What is run comes from what is shipped: the commands of the README's "In production", the lines of
`Procfile`, `gunicorn.conf.py` and `deploy/nginx.conf`.
"""

from __future__ import annotations

import os
import re
import secrets
import shlex
import sys
import threading
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from http.client import HTTPConnection
from pathlib import Path
from typing import Self

from config.browser import Browser
from config.processes import (
    BASE_DIR,
    LOCALHOST,
    ManagedProcess,
    ProcessFailed,
    RunningProcess,
    free_port,
)
from config.stage import SANDBOX_KEY, advance_test_clock, make_test_clock
from tools.rehearsal.servers import Nginx, PostgreSQL, Redis, SQLite, wait_until

# Where people go: another loopback address than that of what stands behind.
FRONT = "127.0.0.2"
WORKERS = 2
VENV = Path(sys.executable).parent
COMMANDS = re.compile(r"^## In production$.*?```sh\n(.*?)```.*?```sh\n(.*?)```", re.DOTALL | re.M)


def commands() -> tuple[list[str], list[str]]:
    """Return the README's commands: those before the processes start, and those after."""
    found = COMMANDS.search((BASE_DIR / "README.md").read_text())
    if found is None:
        raise ValueError("README.md has no section “In production” with two blocks of commands.")
    before, after = ([line for line in each.splitlines() if line] for each in found.groups())
    return before, after


def procfile() -> dict[str, str]:
    """Return what each kind of process runs."""
    lines = (BASE_DIR / "Procfile").read_text().splitlines()
    return dict(line.split(": ", 1) for line in lines if line)


class Arrangement(AbstractContextManager["Arrangement"]):
    """All of it, while entered. Raises ProcessFailed and servers.Missing.

    Without a Redis there are no workers either: tasks are threads of the web server. `say` is told
    each step.
    """

    def __init__(
        self,
        directory: Path,
        *,
        database: PostgreSQL | SQLite,
        redis: Redis | None,
        say: Callable[[str], None],
    ) -> None:
        self._say = say
        self._stack = ExitStack()
        self._directory = directory
        self._processes: dict[str, RunningProcess] = {}
        self._lines: dict[str, str] = {}
        self._more: dict[str, str] = {}
        self._turn = threading.Lock()
        self._ending = threading.Event()
        self._supervisor = threading.Thread(target=self._supervise)
        # Which processes ended, and were started again.
        self.restarted: list[str] = []
        self.mails = directory / "mails"
        self._port = free_port()
        self._gunicorn = f"{LOCALHOST}:{free_port()}"
        self.url = f"https://{FRONT}:{self._port}"
        self.sandbox_url = f"http://{LOCALHOST}:{free_port()}"
        self._nginx = Nginx(directory, host=FRONT, port=self._port, upstream=self._gunicorn)
        # Our browsers, and Stripe's stand-in, take its certificate for its word.
        os.environ["SSL_CERT_FILE"] = str(self._nginx.certificate)
        self.database = database
        self.redis = redis
        self.env = self._environment()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.callback(self.database.close)
            if self.redis:
                stack.callback(self.redis.stop)
            stack.callback(self._stop_all)
            self._start()
            stack.callback(self._supervisor.join)
            stack.callback(self._ending.set)
            self._supervisor.start()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _environment(self) -> dict[str, str]:
        """What the README says that production needs, with addresses of this machine."""
        return {
            "DEBUG": "false",
            "SECRET_KEY": secrets.token_urlsafe(50),
            "ENCRYPTION_KEY": secrets.token_urlsafe(50),
            "ALLOWED_HOSTS": FRONT,
            "BASE_URL": self.url,
            "BEHIND_TLS_PROXY": "true",
            "TRUSTED_PROXIES": "1",
            "DATABASE_URL": self.database.url,
            "REDIS_URL": self.redis.url if self.redis else "",
            "TASKS": "redis" if self.redis else "thread",
            "CACHE_URL": "",
            "EMAIL_URL": f"filemail:///{self.mails}",
            "STRIPE_SECRET_KEY": SANDBOX_KEY,
            "STRIPE_API_HOST": self.sandbox_url,
            "STRIPE_TEST_CLOCK": "",
            "BILLING_GRACE_DAYS": "0",
            # Nothing outside of this machine is called.
            "BREACHED_PASSWORDS": "false",
            "STATIC_ROOT": str(self._directory / "static"),
            "PROMETHEUS_MULTIPROC_DIR": str(self._directory / "metrics"),
            "WEB_CONCURRENCY": "2",
            "GUNICORN_CMD_ARGS": f"--bind={self._gunicorn}",
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "PATH": f"{VENV}{os.pathsep}{os.environ['PATH']}",
        }

    @property
    def last_words(self) -> str:
        return "\n".join(f"{name}: …{it.output[-1500:]}" for name, it in self._processes.items())

    def advance_clock(self, *, days: int) -> None:
        advance_test_clock(self.sandbox_url, self.env["STRIPE_TEST_CLOCK"], days=days)

    def names(self, kind: str) -> list[str]:
        """The processes of a kind: web, worker, sweep."""
        return [name for name in self._processes if name.split("-")[0] == kind]

    def pid(self, name: str) -> int:
        return self._processes[name].pid

    def kill(self, name: str) -> None:
        """As if it had never been asked: SIGKILL."""
        self._processes[name].kill()

    def run_again(self, **more: str) -> None:
        """Restart web, workers and sweep with these variables besides."""
        with self._turn:
            self._more = more
            for name in self._supervised():
                self._processes[name].stop(within=45)
                self._run(name)
        self.wait_until_it_answers()

    def manage(self, *arguments: str) -> str:
        """Run a command to its end, and return what it said. Raises ProcessFailed."""
        with ManagedProcess(*arguments, env=self.env) as process:
            process.wait()
        return process.output

    def _start(self) -> None:
        before, after = commands()
        servers = "PostgreSQL and Redis" if self.redis else "SQLite"
        self._say(f"(there are {servers}, and Stripe's stand-in)")
        if not self.redis:
            # Quicker than `migrate`, which finds nothing to do afterwards.
            self.manage("prepare_database")
        port, file = self.sandbox_url.rsplit(":")[-1], self._directory / "sandbox.sqlite3"
        self._lines["sandbox"] = f"python -u manage.py sandbox --port={port} --database={file}"
        self._run("sandbox").wait_for_line(r"^Sandbox ready at ", within=60)
        self.env["STRIPE_TEST_CLOCK"] = make_test_clock(self.sandbox_url)
        for line in before:
            self._do(line)
        self._start_product()
        for line in after:
            self._do(line)

    def _start_product(self) -> None:
        runs = procfile()
        self._lines["web"] = runs["web"]
        self._lines["sweep"] = runs["sweep"]
        if self.redis:
            self._lines |= {f"worker-{number}": runs["worker"] for number in range(1, WORKERS + 1)}
        for name in self._supervised():
            self._say(f"{name}: {self._lines[name]}")
            self._run(name)
        self._say("nginx, with deploy/nginx.conf")
        self._processes["nginx"] = self._nginx.start()
        self.wait_until_it_answers()
        self._try_plain_http()

    def wait_until_it_answers(self) -> None:
        browser = Browser()
        wait_until(lambda: _is_answered(browser, self.url), "The site")

    def _try_plain_http(self) -> None:
        """Raises ProcessFailed where an event that is sent without TLS gets any further."""
        webhook = f"/stripe/webhook/{uuid.uuid4()}/"
        found = [
            _status_of("GET", self._nginx.plain, "/"),
            _status_of("POST", self._nginx.plain, webhook),
            # Past the proxy.
            _status_of("POST", self._gunicorn, webhook),
        ]
        if found != [301, 403, 403]:
            raise ProcessFailed(f"A page and events over plain HTTP were answered {found}.")
        self._say("(over plain HTTP: a page 301, an event 403)")

    def _do(self, line: str) -> None:
        self._say(line)
        program, *arguments = shlex.split(line)
        with RunningProcess([program, *arguments], env=self.env) as process:
            process.wait()

    def _supervised(self) -> list[str]:
        return [name for name in self._lines if name != "sandbox"]

    def _supervise(self) -> None:
        """Start again what has ended, a second later, as systemd does by Restart=always."""
        while not self._ending.wait(1):
            with self._turn:
                for name in self._supervised():
                    if self._processes[name].returncode is not None:
                        self.restarted.append(name)
                        self._run(name)

    def _run(self, name: str) -> RunningProcess:
        line = shlex.split(self._lines[name])
        process = RunningProcess(line, name=name, env=self.env | self._more)
        self._processes[name] = process
        return process

    def _stop_all(self) -> None:
        for process in reversed(self._processes.values()):
            process.stop(within=45)


def _status_of(method: str, place: str, path: str) -> int:
    """Ask over plain HTTP, and follow nothing."""
    connection = HTTPConnection(place, timeout=10)
    try:
        connection.request(method, path, headers={"Host": FRONT})
        return connection.getresponse().status
    finally:
        connection.close()


def _is_answered(browser: Browser, url: str) -> bool:
    try:
        return browser.open(url).status == 200
    except OSError:
        return False
