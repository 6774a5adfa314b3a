"""Writes lines of the log for some seconds: started by `bench.log_measures`, not by hand.

Says `ready`, begins when it is told to, and prints how many lines it wrote.
"""

from __future__ import annotations

import sys
from time import perf_counter

import django
from django.db import transaction

django.setup()

from accounts.events import Event  # noqa: E402
from accounts.services import record_event  # noqa: E402


def main(seconds: float) -> None:
    record_event(Event.LOGIN)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    written = 0
    end = perf_counter() + seconds
    while perf_counter() < end:
        with transaction.atomic():
            record_event(Event.LOGIN, data={"methods": ["password"]})
        written += 1
    sys.stdout.write(f"{written}\n")


if __name__ == "__main__":
    main(float(sys.argv[1]))
