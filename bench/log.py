"""What the event log costs: `python -m bench.log`, on SQLite and on PostgreSQL.

Makes a database of its own on each, and removes it. Prints

- what a role change costs, its line of the log included, beside the same without that line: by
  turns, each giving a role to somebody and taking it again; medians, and their ratio;
- how many lines a second 1, 2, 4 and 8 processes write at once, each line in a transaction of its
  own (PostgreSQL only: SQLite has one writer at a time);
- how long the admin's list of the log takes with 10^4 and with 10^6 lines: as it is, filtered by a
  kind, by the last week, searched for a person, and their ratios (goal: 1.5 at most). Medians,
  with everything warm; the page is rendered whole.

DATABASE_URL says which PostgreSQL (default: postgres at 127.0.0.1:5432).
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys

from bench.databases import has_postgres, postgres, sqlite
from config.processes import BASE_DIR

ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "config.settings",
    # In production, pages ask for static files that were collected; here nothing was.
    "DEBUG": "true",
    "SECRET_KEY": "benchmark-only",
    "CACHE_URL": "locmemcache://",
    "EMAIL_URL": "dummymail://",
    "STRIPE_SECRET_KEY": "",
    "STRIPE_TEST_CLOCK": "",
    "LOG_LEVEL": "CRITICAL",
}


def run() -> None:
    for database in (sqlite, postgres) if has_postgres() else (sqlite,):
        with database() as url:
            measured = subprocess.run(
                [sys.executable, "-m", "bench.log_measures"],
                cwd=BASE_DIR,
                env={**os.environ, **ENVIRONMENT, "DATABASE_URL": url},
            )
        if measured.returncode:
            sys.exit("The measuring ended early; what it said is above.")


def main() -> None:
    argparse.ArgumentParser(
        prog="python -m bench.log",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).parse_args()
    # Both leave through the blocks that remove what was made.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        run()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
