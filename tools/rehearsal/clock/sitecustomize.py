"""Python runs this as it starts, where it finds it: this process's clock, and those of its forks,
then stand as many seconds off as the file says that `REHEARSAL_CLOCK` names. Monotonic clocks,
which nobody can set, go on.
"""

import os
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import time_machine


def follow(file: Path) -> None:
    seconds, travel = 0, None
    while True:
        wanted = int(file.read_text() or 0) if file.exists() else 0
        if wanted != seconds:
            if travel is not None:
                travel.stop()
            there = datetime.now(UTC) + timedelta(seconds=wanted)
            travel = time_machine.travel(there, tick=True) if wanted else None
            if travel is not None:
                travel.start()
            seconds = wanted
        time.sleep(0.1)


def begin() -> None:
    file = Path(os.environ["REHEARSAL_CLOCK"])
    threading.Thread(target=follow, args=(file,), daemon=True).start()


begin()
os.register_at_fork(after_in_child=begin)
