"""How several processes count together: each writes files of its own, and a scrape adds them up.

prometheus-client names the files by the process and never removes one, because counts must not go
back. Each process that gunicorn replaces and each fork of RQ would leave its files behind. So a
process takes a place here that nobody holds, with the files of whoever held it before, and counts
on from there: there are as many files as there ever were processes at once. The lock of a place
ends with its process, however that ends.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from itertools import count
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from prometheus_client import values
from prometheus_client.multiprocess import mark_process_dead

# Where prometheus-client looks for the directory.
VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


class Places:
    """The places in a directory, and the one that this process holds."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._process: int | None = None
        self._lock: int | None = None
        self._place = ""

    def own(self) -> str:
        """Return the name of this process's place. A fork takes another than its parent's."""
        if self._process != os.getpid():
            self._take()
        return self._place

    def forget_the_dead(self) -> None:
        """Remove what told of the present of processes that have ended; what they counted stays."""
        for file in self._directory.glob("*.lock"):
            # Another user's are seen to by their own processes.
            with suppress(PermissionError):
                lock = _lock(file)
                if lock is not None:
                    mark_process_dead(file.stem, str(self._directory))
                    os.close(lock)

    def _take(self) -> None:
        if self._lock is not None:
            # The parent's, which holds on to it.
            os.close(self._lock)
        for number in count():
            # Of each user of the system others: they could not write each other's.
            place = f"{os.geteuid()}-{number}"
            lock = _lock(self._directory / f"{place}.lock")
            if lock is not None:
                break
        self._process, self._lock, self._place = os.getpid(), lock, place
        mark_process_dead(place, str(self._directory))


def count_in(named: str) -> Places | None:
    """Have this process count in that directory; without a name, for itself alone.

    To be called before any metric is made. Raises ImproperlyConfigured where it cannot be written.
    """
    if not named:
        # prometheus-client takes an empty name for one.
        os.environ.pop(VARIABLE, None)
        values.ValueClass = values.MutexValue
        return None
    os.environ[VARIABLE] = named
    places = Places(Path(named))
    try:
        Path(named).mkdir(parents=True, exist_ok=True)
        values.ValueClass = values.MultiProcessValue(places.own)
    except OSError as error:
        raise ImproperlyConfigured(
            f"{VARIABLE} is {named}, where nothing can be written: {error}. Set it to a directory "
            "in which this process may write."
        ) from error
    return places


def _lock(file: Path) -> int | None:
    """Return the lock on a file, or None while somebody holds it."""
    handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle
