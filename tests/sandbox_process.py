"""Runs the sandbox as the process that it is, for this project's tests."""

import json
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

CHECKOUT = Path(__file__).resolve().parents[1]
PATIENCE = 20.0
READY = "Sandbox ready at "
KEY = "sk_test_sandbox"
DAY = 86_400

# Proxies are for the outside world; the sandbox is on this machine.
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class SandboxProcess:
    """`manage.py sandbox` on a free port with a file of its own, and its control calls.

    Used as a context manager: it is ready inside the block and gone after it.
    """

    def __init__(self, *, port: int = 0, database: Path | None = None) -> None:
        self._port = port
        self._database = database
        self._directory: tempfile.TemporaryDirectory[str] | None = None
        self._process: subprocess.Popen[str] | None = None
        self.url = ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start the process and wait until it accepts connections.

        Raises RuntimeError if it ends instead, or says nothing for too long.
        """
        if self._database is None:
            self._directory = tempfile.TemporaryDirectory(prefix="sandbox-")
            self._database = Path(self._directory.name) / "sandbox.sqlite3"
        command = [sys.executable, str(CHECKOUT / "manage.py"), "sandbox"]
        command += ["--port", str(self._port), "--database", str(self._database)]
        self._process = subprocess.Popen(
            command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )
        line = self._first_line(self._process)
        if not line.startswith(READY):
            self.stop()
            raise RuntimeError(f"The sandbox did not start; it said {line!r}.")
        self.url = line.removeprefix(READY).strip()

    def _first_line(self, process: subprocess.Popen[str]) -> str:
        assert process.stdout is not None
        impatience = threading.Timer(PATIENCE, process.kill)
        impatience.start()
        try:
            return process.stdout.readline()
        finally:
            impatience.cancel()

    def stop(self) -> int | None:
        """End the process, wait for it, and return its exit code."""
        process, self._process = self._process, None
        code = None
        if process is not None:
            process.terminate()
            try:
                code = process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                code = process.wait()
            if process.stdout is not None:
                process.stdout.close()
        if self._directory is not None:
            self._directory.cleanup()
            self._directory = self._database = None
        return code

    def reset(self, to: str | None = None) -> None:
        """Make the sandbox forget everything, weather and queue included.

        Or have it go back to what was kept under a name.
        """
        self.control("reset", {} if to is None else {"to": to})

    def keep(self, name: str) -> None:
        """Make the sandbox remember everything as it is now, but for the weather."""
        self.control("keep", {"name": name})

    def weather(self, rules: list[dict[str, Any]]) -> None:
        """Replace the rules of the weather; an empty list clears it.

        A rule has a `path` (API calls) or an `event` (deliveries): see sandbox.weather. Weather
        for deliveries strikes when the event happens.
        """
        self.control("weather", {"rules": rules})

    def requests(self) -> list[dict[str, Any]]:
        """List the API calls since the last reset, oldest first."""
        calls: list[dict[str, Any]] = self.control("requests")["requests"]
        return calls

    def settings(self, **changes: str) -> dict[str, Any]:
        """Change settings (`dunning_end`) and return them all."""
        return self.control("settings", changes)

    def deliveries(self) -> dict[str, Any]:
        """Count the webhook deliveries by state and list the newest."""
        return self.control("deliveries")

    def flush(self) -> dict[str, Any]:
        """Wait until every event that is due was posted, delayed and held ones too.

        `flushed` in the answer is false if that took too long.
        """
        return self.control("deliveries/flush", {})

    def clock(self, name: str = "clock") -> str:
        """Make a test clock that shows the present, and return its id."""
        made = self.call("test_helpers/test_clocks", frozen_time=int(time.time()), name=name)
        return str(made["id"])

    def advance(self, clock: str, *, days: int) -> int:
        """Move a test clock and return the time that it shows."""
        path = f"test_helpers/test_clocks/{clock}"
        moment = self.call(path)["frozen_time"] + days * DAY
        self.call(f"{path}/advance", frozen_time=moment)
        return int(moment)

    def call(self, path: str, **fields: str | int) -> dict[str, Any]:
        """Make one call of Stripe's API: a GET, or with fields a POST."""
        data = urlencode(fields).encode() if fields else None
        request = urllib.request.Request(
            f"{self.url}/v1/{path}", data=data, headers={"Authorization": f"Bearer {KEY}"}
        )
        with opener.open(request, timeout=PATIENCE + 10) as response:
            answer: dict[str, Any] = json.load(response)
        return answer

    def control(self, name: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Make one control call: a GET, or with a body a POST."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_sandbox/{name}", data=data)
        with opener.open(request, timeout=PATIENCE + 10) as response:
            answer: dict[str, Any] = json.load(response)
        return answer
