"""The whole product on this machine: Stripe's stand-in, a planted cast, and the web server."""

from __future__ import annotations

import fcntl
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.processes import BASE_DIR, ProcessFailed, interrupt_once, is_port_free
from config.stage import Stage


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
        interrupt_once()
        try:
            with ExitStack() as stack:
                _claim_ports(port, sandbox_port)
                _claim(directory, stack)
                self._run(port, sandbox_port, directory)
        except ProcessFailed as error:
            raise CommandError(f"{error}\nEverything is stopped.") from error
        except KeyboardInterrupt:
            self._say("\nEverything is stopped. `make demo` goes on where this ended.")

    def _run(self, port: int, sandbox_port: int, directory: Path) -> None:
        with Stage(
            directory,
            port=port,
            sandbox_port=sandbox_port,
            with_cast=True,
            say=self._say,
            echo=True,
        ) as stage:
            self._say(
                f"""
{stage.cast.strip()}

  Holdfast            {stage.url}/
  its admin           {stage.url}/admin/
  Stripe's stand-in   {stage.sandbox_url}/   (what Stripe knows; moves the test clock)

Mails appear below. Ctrl-C stops everything; the data stay.
"""
            )
            stage.watch()

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


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
