"""The whole product on this machine: Stripe's stand-in, a planted cast, and the web server."""

import fcntl
import json
import signal
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.processes import BASE_DIR, LOCALHOST, ManagedProcess, ProcessFailed, is_port_free

SECRET_KEY_OF_THE_SANDBOX = "sk_test_sandbox"
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Command(BaseCommand):
    help = "Run the product with a planted cast and Stripe's stand-in, until Ctrl-C."
    # The database that the checks would look at is not the demo's.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--sandbox-port", type=int, help="default: the next one")
        parser.add_argument("--directory", type=Path, default=BASE_DIR / "var")

    def handle(self, *args: Any, **options: Any) -> None:
        port: int = options["port"]
        sandbox_port: int = options["sandbox_port"] or port + 1
        directory: Path = options["directory"].resolve()
        # A closed terminal, or a supervisor, stops everything just as Ctrl-C does. (A shell that
        # starts us in the background has Ctrl-C's signal ignored, so that one is named as well.)
        for request in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(request, signal.default_int_handler)
        try:
            with ExitStack() as stack:
                _claim_ports(port, sandbox_port)
                _claim(directory, stack)
                try:
                    self._run(port, sandbox_port, directory, stack)
                finally:
                    # A second Ctrl-C must not leave a process behind.
                    signal.signal(signal.SIGINT, signal.SIG_IGN)
        except ProcessFailed as error:
            raise CommandError(f"{error}\nEverything is stopped.") from error
        except KeyboardInterrupt:
            self.stdout.write("\nEverything is stopped. `make demo` goes on where this ended.")

    def _run(self, port: int, sandbox_port: int, directory: Path, stack: ExitStack) -> None:
        sandbox_url = f"http://{LOCALHOST}:{sandbox_port}"
        env = _environment(f"http://{LOCALHOST}:{port}", sandbox_url, directory)

        self._say("Preparing the database")
        if not (directory / "demo.sqlite3").exists():
            self._say("  (once; dj-stripe's part takes about a minute)")
        self._do("migrate", env=env)

        self._say("Starting Stripe's stand-in")
        sandbox = stack.enter_context(
            ManagedProcess(
                "sandbox",
                f"--port={sandbox_port}",
                f"--database={directory / 'sandbox.sqlite3'}",
                env=env,
                echo=True,
            )
        )
        sandbox.wait_for_line(r"^Sandbox ready at ", within=60)
        env["STRIPE_TEST_CLOCK"] = _test_clock(sandbox_url, directory / "demo-test-clock")

        self._say("Setting up products, prices and the webhook endpoint")
        self._do("stripe_setup", env=env)
        self._say("Planting the cast")
        cast = self._do("plant_cast", env=env, echo=False)

        server = stack.enter_context(
            ManagedProcess("runserver", f"{LOCALHOST}:{port}", "--noreload", env=env, echo=True)
        )
        server.wait_for_port(port, within=60)
        self._welcome(port, sandbox_url, cast)
        _watch(sandbox, server)

    def _do(self, *arguments: str, env: dict[str, str], echo: bool = True) -> str:
        with ManagedProcess(*arguments, env=env, echo=echo) as process:
            process.wait()
        return process.output

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()

    def _welcome(self, port: int, sandbox_url: str, cast: str) -> None:
        self._say(
            f"""
{cast.strip()}

  Holdfast            http://{LOCALHOST}:{port}/
  its admin           http://{LOCALHOST}:{port}/admin/
  Stripe's stand-in   {sandbox_url}/   (what Stripe knows; moves the test clock)

Mails appear below. Ctrl-C stops everything; the data stay.
"""
        )


def _claim_ports(port: int, sandbox_port: int) -> None:
    for wanted, what in ((port, "the web server"), (sandbox_port, "Stripe's stand-in")):
        if not is_port_free(wanted):
            raise CommandError(
                f"Port {wanted}, for {what}, is used by another program: stop that one, or "
                f"choose another port: make demo PORT={port + 1000}"
            )


def _claim(directory: Path, stack: ExitStack) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    lock = stack.enter_context((directory / "demo.lock").open("w"))
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise CommandError(
            f"A demo is running on the data in {directory} already: use that one, or stop it "
            "with Ctrl-C where it was started."
        ) from error


def _environment(base_url: str, sandbox_url: str, directory: Path) -> dict[str, str]:
    # Everything that the demo relies on, so that a developer's .env does not bend it.
    return {
        "DEBUG": "true",
        "BASE_URL": base_url,
        "ALLOWED_HOSTS": f"{LOCALHOST},localhost",
        "DATABASE_URL": f"sqlite:///{quote(str(directory / 'demo.sqlite3'))}",
        "CACHE_URL": "locmemcache://",
        "EMAIL_URL": "consolemail://",
        "STRIPE_API_HOST": sandbox_url,
        "STRIPE_SECRET_KEY": SECRET_KEY_OF_THE_SANDBOX,
        "DJANGO_RUNSERVER_HIDE_WARNING": "true",
        # Behind a proxy, calls on this machine stay on it.
        "NO_PROXY": f"{LOCALHOST},localhost",
        "no_proxy": f"{LOCALHOST},localhost",
    }


def _test_clock(sandbox_url: str, memory: Path) -> str:
    """Return the id of the clock that this demo's customers live by; make it the first time."""
    clocks = f"{sandbox_url}/v1/test_helpers/test_clocks"
    if memory.exists():
        remembered = memory.read_text().strip()
        try:
            return str(_call(f"{clocks}/{remembered}")["id"])
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise
    created = _call(clocks, {"frozen_time": int(time.time()), "name": "Holdfast demo"})
    memory.write_text(created["id"])
    return str(created["id"])


def _call(url: str, fields: dict[str, Any] | None = None) -> Any:
    request = urllib.request.Request(
        url,
        data=urlencode(fields).encode() if fields else None,
        headers={"Authorization": f"Bearer {SECRET_KEY_OF_THE_SANDBOX}"},
    )
    with DIRECT.open(request, timeout=10) as answer:
        return json.load(answer)


def _watch(*processes: ManagedProcess) -> None:
    """Return never; raise ProcessFailed when one of them ends."""
    while True:
        for process in processes:
            if process.returncode is not None:
                raise ProcessFailed(f"{process.name} ended, with exit code {process.returncode}.")
        time.sleep(0.5)
