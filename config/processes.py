"""Starts `manage.py` commands as processes of their own, waits for them, and stops them.

For whatever drives the running product from outside: the demo, the walkthrough and tests.
"""

import codecs
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from types import FrameType
from typing import TypeVar

BASE_DIR = Path(__file__).resolve().parent.parent
LOCALHOST = "127.0.0.1"
# A server that runs for days must not fill the memory of the process that watches it.
KEPT_CHARACTERS = 200_000

Found = TypeVar("Found")


class ProcessFailed(Exception):
    """A command ended with an error, ended too early, or was not ready in time."""


def interrupt_once() -> None:
    """Have the first request to stop raise KeyboardInterrupt, and later ones pass unheard.

    A closed terminal, or a supervisor, stops us just as Ctrl-C does. `make` passes a signal on
    that its whole group has received, so a second one follows at once; raised while children are
    being stopped, it would leave some of them behind.
    """
    requests = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def interrupt(number: int, frame: FrameType | None) -> None:
        for request in requests:
            signal.signal(request, signal.SIG_IGN)
        raise KeyboardInterrupt

    # A shell that starts us in the background has Ctrl-C's signal ignored, so it is set as well.
    for request in requests:
        signal.signal(request, interrupt)


def is_port_free(port: int) -> bool:
    try:
        socket.create_server((LOCALHOST, port)).close()
    except OSError:
        return False
    return True


def free_port() -> int:
    """Find a port that nothing listens on at this moment."""
    with socket.create_server((LOCALHOST, 0)) as probe:
        return int(probe.getsockname()[1])


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((LOCALHOST, port)) == 0


def _instead(env: Mapping[str, str]) -> dict[str, str]:
    """Return these values, and the files that had them before named no more."""
    return {**{f"{name}_FILE": "" for name in env}, **env}


class RunningProcess(AbstractContextManager["RunningProcess"]):
    """One running program; leaving its `with` block stops it.

    `env` is added to our own environment. With `echo`, what it says goes on to our output.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        name: str = "",
        env: Mapping[str, str] | None = None,
        echo: bool = False,
    ) -> None:
        self.name = name or command[0]
        self.output = ""
        self._echo = echo
        self._popen = subprocess.Popen(
            command,
            cwd=BASE_DIR,
            env={**os.environ, **_instead(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # Ctrl-C in the terminal reaches us alone, and we stop our children in order.
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def returncode(self) -> int | None:
        """The exit code, or None while it runs."""
        return self._popen.poll()

    def wait(self) -> None:
        """Wait until it ends by itself. Raises ProcessFailed unless it ends well."""
        self._popen.wait()
        self._reader.join()
        if self.returncode:
            raise self._failure(f"ended with exit code {self.returncode}")

    def wait_for_line(self, pattern: str, *, within: float) -> re.Match[str]:
        """Wait up to `within` seconds for output that matches. Raises ProcessFailed."""
        return self._wait_for(lambda: re.search(pattern, self.output, re.MULTILINE), within)

    def wait_for_port(self, port: int, *, within: float) -> None:
        """Wait up to `within` seconds until something listens there. Raises ProcessFailed."""
        self._wait_for(lambda: _answers(port), within)

    def kill(self) -> None:
        """End it, and all that it started, as a machine that loses its power does."""
        with suppress(ProcessLookupError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait()

    def stop(self, *, within: float = 5) -> None:
        """Ask it to end, and all that it started; after `within` seconds, end it."""
        for request in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self._popen.pid, request)
                self._popen.wait(within)
            except ProcessLookupError:
                break
            except subprocess.TimeoutExpired:
                continue
        self._popen.wait()
        self._reader.join(within)

    def _read(self) -> None:
        assert self._popen.stdout is not None
        with self._popen.stdout as stream:
            chunks = iter(lambda: os.read(stream.fileno(), 65_536), b"")
            for text in codecs.iterdecode(chunks, "utf-8", "replace"):
                self.output = (self.output + text)[-KEPT_CHARACTERS:]
                if self._echo:
                    sys.stdout.write(text)
                    sys.stdout.flush()

    def _wait_for(self, look: Callable[[], Found | None], within: float) -> Found:
        deadline = time.monotonic() + within
        while not (found := look()):
            if self.returncode is not None:
                raise self._failure(f"ended early, with exit code {self.returncode}")
            if time.monotonic() > deadline:
                raise self._failure(f"was not ready within {within:g} s")
            time.sleep(0.05)
        return found

    def _failure(self, what: str) -> ProcessFailed:
        self._reader.join(1)
        # What was echoed is on the screen already.
        said = "" if self._echo else f" Its last words:\n{self.output[-2000:].rstrip()}"
        return ProcessFailed(f"{self.name} {what}.{said}")


class ManagedProcess(RunningProcess):
    """One running `manage.py` command."""

    def __init__(
        self, *arguments: str, env: Mapping[str, str] | None = None, echo: bool = False
    ) -> None:
        super().__init__(
            [sys.executable, "-u", "manage.py", *arguments],
            name=f"manage.py {arguments[0]}",
            env=env,
            echo=echo,
        )
