"""What `tools.kill_at_random` kills: the product's processes."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections import Counter
from contextlib import suppress
from random import Random

from config.processes import ManagedProcess


class Victim(ManagedProcess):
    def kill(self) -> None:
        """End it and what it forked at once, without a word to any of them."""
        leader = self._popen.pid
        # RQ forks for each task, into a group of its own.
        listed = subprocess.run(["pgrep", "-P", str(leader)], capture_output=True, text=True)
        with suppress(ProcessLookupError):
            os.killpg(leader, signal.SIGKILL)
        for child in map(int, listed.stdout.split()):
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        self.stop()


class Victims:
    """Running commands, of which one after the other is killed and started again."""

    def __init__(self, commands: dict[str, tuple[str, ...]], seed: int) -> None:
        self.kills = Counter(dict.fromkeys(commands, 0))
        self.problems: list[str] = []
        self._commands = commands
        self._dice = Random(seed)
        self._running = {name: Victim(*command) for name, command in commands.items()}

    def kill_for(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(self._dice.uniform(0.3, 2))
            name = self._dice.choice(list(self._running))
            self._expect_life(name)
            self._running[name].kill()
            self.kills[name] += 1
            time.sleep(self._dice.uniform(0, 0.5))
            self._running[name] = Victim(*self._commands[name])

    def stop(self) -> None:
        for name, victim in self._running.items():
            self._expect_life(name)
            victim.stop()

    def _expect_life(self, name: str) -> None:
        victim = self._running[name]
        if victim.returncode is not None:
            self.problems.append(f"{name} ended by itself: {victim.output[-1000:]}")
