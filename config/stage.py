"""The whole product on this machine, process by process: for the demo and the walkthrough."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any, Protocol, Self
from urllib.parse import quote, urlencode

from django.conf import settings

from config.processes import LOCALHOST, ManagedProcess, ProcessFailed, RunningProcess, free_port

SANDBOX_KEY = "sk_test_sandbox"
DAY = 86_400
SWEEP_SECONDS = 10
# What works off the queue, for each backend whose tasks leave the web process.
WORKERS = {
    "django_tasks_db.DatabaseBackend": ("db_worker", "--interval=0.2"),
    "django_tasks_rq.RQBackend": ("rqworker", "--job-class=django_tasks_rq.Job"),
}
# Proxies are for the outside world.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Product(Protocol):
    """A product that runs, with Stripe's stand-in beside it, and is known by its addresses."""

    url: str
    sandbox_url: str

    @property
    def last_words(self) -> str:
        """What the processes said last, for whoever must find out why something broke."""

    def advance_clock(self, *, days: int) -> None:
        """Move the time of this product's customers at Stripe's stand-in."""


class Stage(AbstractContextManager["Stage"]):
    """A migrated database, Stripe's stand-in set up for it, sweep, worker and web server, while
    entered.

    `directory` keeps the stand-in's file, and the database unless `database_url` names another.
    `with_cast` plants one. `say` is told what is being done. Raises ProcessFailed.
    """

    def __init__(
        self,
        directory: Path,
        *,
        say: Callable[[str], None],
        port: int | None = None,
        sandbox_port: int | None = None,
        database_url: str | None = None,
        email_url: str = "consolemail://",
        with_cast: bool = False,
        echo: bool = False,
    ) -> None:
        self._port = port or free_port()
        self._sandbox_port = sandbox_port or free_port()
        self.url = f"http://{LOCALHOST}:{self._port}"
        self.sandbox_url = f"http://{LOCALHOST}:{self._sandbox_port}"
        # What the planting of the cast said: who can log in.
        self.cast = ""
        self._directory = directory
        self._say = say
        self._with_cast = with_cast
        self._echo = echo
        self._stack = ExitStack()
        self._processes: list[RunningProcess] = []
        # All that the product relies on, so that a developer's .env does not bend it.
        self._env = {
            "DEBUG": "true",
            "BASE_URL": self.url,
            "ALLOWED_HOSTS": f"{LOCALHOST},localhost",
            "DATABASE_URL": database_url or f"sqlite:///{quote(str(directory / 'demo.sqlite3'))}",
            "CACHE_URL": "",
            "EMAIL_URL": email_url,
            "STRIPE_API_HOST": self.sandbox_url,
            "STRIPE_SECRET_KEY": SANDBOX_KEY,
            "STRIPE_TEST_CLOCK": "",
            "BILLING_GRACE_DAYS": "0",
            "BREACHED_PASSWORDS": "false",
            "DJANGO_RUNSERVER_HIDE_WARNING": "true",
            "NO_PROXY": f"{LOCALHOST},localhost",
            "no_proxy": f"{LOCALHOST},localhost",
        }

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._start(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def watch(self) -> None:
        """Return never; raise ProcessFailed when a process ends."""
        while True:
            for process in self._processes:
                if process.returncode is not None:
                    code = process.returncode
                    raise ProcessFailed(f"{process.name} ended, with exit code {code}.")
            time.sleep(0.5)

    @property
    def last_words(self) -> str:
        return "\n".join(f"{each.name}: …{each.output[-3000:]}" for each in self._processes)

    def advance_clock(self, *, days: int) -> None:
        advance_test_clock(self.sandbox_url, self._env["STRIPE_TEST_CLOCK"], days=days)

    def _start(self, stack: ExitStack) -> None:
        self._say("Preparing the database, and Stripe's stand-in")
        database = self._directory / "sandbox.sqlite3"
        sandbox = self._begin(
            stack, "sandbox", f"--port={self._sandbox_port}", f"--database={database}"
        )
        self._do("prepare_database")
        sandbox.wait_for_line(r"^Sandbox ready at ", within=60)
        self._env["STRIPE_TEST_CLOCK"] = self._test_clock()
        self._say("Setting up products, prices and the webhook endpoint")
        # The web server is started later, so that no event can come round yet.
        if self._with_cast:
            self._say("Planting the cast")
            self.cast = self._do("plant_cast", echo=False, env={"EMAIL_URL": "dummymail://"})
        else:
            self._do("stripe_setup", "--no-proof")
        self._begin(stack, "sync_billing", "--due", f"--every={SWEEP_SECONDS}")
        if worker := WORKERS.get(settings.TASKS["default"]["BACKEND"]):
            self._begin(stack, *worker)
        server = self._begin(stack, "runserver", f"{LOCALHOST}:{self._port}", "--noreload")
        server.wait_for_port(self._port, within=60)

    def _do(
        self, *arguments: str, echo: bool | None = None, env: dict[str, str] | None = None
    ) -> str:
        shown = self._echo if echo is None else echo
        with ManagedProcess(*arguments, env=self._env | (env or {}), echo=shown) as process:
            process.wait()
        return process.output

    def _begin(self, stack: ExitStack, *arguments: str) -> RunningProcess:
        process = stack.enter_context(ManagedProcess(*arguments, env=self._env, echo=self._echo))
        self._processes.append(process)
        return process

    def _test_clock(self) -> str:
        """Return the clock that this product's customers live by; make it the first time."""
        memory = self._directory / "test-clock"
        if memory.exists():
            try:
                return str(call_clocks(self.sandbox_url, memory.read_text().strip())["id"])
            except urllib.error.HTTPError as error:
                if error.code != 404:
                    raise
        clock = make_test_clock(self.sandbox_url)
        memory.write_text(clock)
        return clock


def make_test_clock(sandbox_url: str) -> str:
    """Make a clock of Stripe's stand-in that shows the present, and return its id."""
    fields = {"frozen_time": int(time.time()), "name": "Holdfast"}
    return str(call_clocks(sandbox_url, fields=fields)["id"])


def advance_test_clock(sandbox_url: str, clock: str, *, days: int) -> None:
    target = call_clocks(sandbox_url, clock)["frozen_time"] + days * DAY
    call_clocks(sandbox_url, f"{clock}/advance", fields={"frozen_time": target})


def call_clocks(sandbox_url: str, path: str = "", *, fields: dict[str, Any] | None = None) -> Any:
    """Make one call about test clocks. Raises urllib.error.HTTPError."""
    request = urllib.request.Request(
        f"{sandbox_url}/v1/test_helpers/test_clocks/{path}".rstrip("/"),
        data=urlencode(fields).encode() if fields else None,
        headers={"Authorization": f"Bearer {SANDBOX_KEY}"},
    )
    with DIRECT.open(request, timeout=60) as answer:
        return json.load(answer)
