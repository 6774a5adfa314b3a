"""The web server as it is in production: gunicorn, with the database of the test."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self
from urllib.parse import quote

from django.conf import settings
from django.db import connection

from config.processes import BASE_DIR, LOCALHOST, free_port

PATIENCE = 30.0
TOKEN = "only-for-scrapes"


class _AsAnswered(urllib.request.HTTPErrorProcessor):
    """A redirect or an error is an answer, too."""

    def http_response(self, request: Any, response: Any) -> Any:
        return response


# Proxies are for the outside world.
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _AsAnswered)


def url_of_database() -> str:
    """The tests' own database, for a process beside this one."""
    at = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{quote(str(at['NAME']))}"
    login = quote(at["USER"]) + (f":{quote(at['PASSWORD'])}" if at["PASSWORD"] else "")
    return f"postgres://{login}@{at['HOST']}:{at['PORT']}/{at['NAME']}"


def production(**more: str) -> dict[str, str]:
    """The environment of a process as in production, of this test's database and Stripe."""
    return {
        **os.environ,
        "DEBUG": "false",
        "SECRET_KEY": settings.SECRET_KEY,
        "ENCRYPTION_KEY": settings.ENCRYPTION_KEY,
        "ALLOWED_HOSTS": LOCALHOST,
        "SECURE_SSL_REDIRECT": "false",
        "DATABASE_URL": url_of_database(),
        "STRIPE_SECRET_KEY": settings.STRIPE_SECRET_KEY,
        "STRIPE_API_HOST": getattr(settings, "STRIPE_API_HOST", ""),
        "STRIPE_TEST_CLOCK": settings.STRIPE_TEST_CLOCK,
        "STRIPE_MAX_NETWORK_RETRIES": "0",
        "STRIPE_TIMEOUT": "20",
        "METRICS_TOKEN": TOKEN,
        "PROMETHEUS_MULTIPROC_DIR": "",
        "PYTHONWARNINGS": "ignore",
    } | more


class WebProcess:
    """gunicorn, ready inside its `with` block and gone after it."""

    def __init__(self, *arguments: str, **environment: str) -> None:
        self._arguments = arguments
        self._environment = environment
        self._directory = TemporaryDirectory(prefix="holdfast-web-")
        self.url = ""

    def __enter__(self) -> Self:
        port = free_port()
        self.url = f"http://{LOCALHOST}:{port}"
        self._log = Path(self._directory.name) / "log"
        environment = production(
            PROMETHEUS_MULTIPROC_DIR=f"{self._directory.name}/metrics",
            STATIC_ROOT=self._directory.name,
        )
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "gunicorn", f"--bind={LOCALHOST}:{port}"),
                    *self._arguments,
                ],
                cwd=BASE_DIR,
                env=environment | self._environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._wait_until_it_answers()
        return self

    def __exit__(self, *_: object) -> None:
        # What it forked, too: it holds the database of the test open.
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._directory.cleanup()

    def get(self, path: str, **headers: str) -> Any:
        """Ask, and return the answer, whatever its status."""
        request = urllib.request.Request(self.url + path, headers=headers)
        return opener.open(request, timeout=PATIENCE)

    def post(self, path: str, body: bytes, **headers: str) -> Any:
        request = urllib.request.Request(self.url + path, data=body, headers=headers)
        return opener.open(request, timeout=PATIENCE)

    def metrics(self) -> str:
        answer = self.get("/metrics", Authorization=f"Bearer {TOKEN}")
        text: str = answer.read().decode()
        return text

    def tell_to_end(self) -> None:
        self._process.send_signal(signal.SIGTERM)

    def wait(self) -> int:
        """Wait until it has ended, and return its exit code."""
        return self._process.wait(PATIENCE)

    def lines(self) -> list[dict[str, Any]]:
        """What it has logged; fails where a line is not of JSON."""
        return [json.loads(line) for line in self._log.read_text().splitlines()]

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                self.get("/health/live")
                return
            except OSError as error:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError(self._log.read_text()) from error
                time.sleep(0.05)
