"""A Redis of a test's own, which it may stop, flush and start again."""

from __future__ import annotations

import subprocess
import time
from contextlib import AbstractContextManager

import redis

from config.processes import LOCALHOST, free_port


class RedisProcess(AbstractContextManager["RedisProcess"]):
    """Runs while entered. Keeps nothing on disk: whoever stops it has flushed it."""

    def __init__(self) -> None:
        self._port = free_port()
        self.url = f"redis://{LOCALHOST}:{self._port}/0"
        self.client = redis.Redis.from_url(self.url, socket_timeout=5)
        self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Raises TimeoutError when it does not come up."""
        options = ["--save", "", "--appendonly", "no", "--loglevel", "warning"]
        self._popen = subprocess.Popen(
            ["redis-server", "--bind", LOCALHOST, "--port", str(self._port), *options],
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 10
        while not self.answers():
            if time.monotonic() > deadline:
                raise TimeoutError("redis-server does not answer")

    def answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.ConnectionError:
            return False

    def stop(self) -> None:
        self._popen.terminate()
        self._popen.wait(10)
