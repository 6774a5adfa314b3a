"""Permissions beside django-guardian and ModelBackend: `python -m bench.permissions`.

Makes a database of its own on SQLite and on PostgreSQL, and removes it. On each, a page with eight
buttons asks for eight permissions, all of which are held, by a person just loaded as for a request:

- Holdfast: `user.has_perm(permission, organization)`, with the project's settings. The person has
  1, 10 or 100 roles, built in and the organization's own by turns. Each answer takes the tier, the
  lock and the closing of the organization into account.
- django-guardian: `ObjectPermissionChecker(user).has_perm(permission, organization)`, one checker
  for the page, as its documentation advises. The person is in 1, 10 or 100 groups that have the
  permissions on this organization. Django's loop over its backends is not gone through.
- ModelBackend: `user.has_perm(permission)`, with it as the only backend, as by Django's default.
  The person is in the same groups, which have the permissions on every organization.

Each role and each group gives all eight. Colleagues hold ten roles and are in ten groups each.
Pages are shown by turns, with everything warm that outlives a request; loading the person is not
counted. Times are medians, ratios are to Holdfast's. `100 to 1` is what ninety-nine roles more
add, and the ratio of both.

A later check makes no statement anywhere; each then looks into what was kept. Ours does without
Django's loop over backends, and judges tier, lock and closing anew.

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

# As in production, but for what is not measured.
ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "config.settings",
    "DEBUG": "false",
    "SECRET_KEY": "benchmark-only",
    "CACHE_URL": "locmemcache://",
    "EMAIL_URL": "dummymail://",
    "STRIPE_SECRET_KEY": "",
    "STRIPE_TEST_CLOCK": "",
    "LOG_LEVEL": "CRITICAL",
}


def run(*, pages: int, colleagues: int) -> None:
    for database in (sqlite, postgres) if has_postgres() else (sqlite,):
        with database() as url:
            measured = subprocess.run(
                [sys.executable, "-m", "bench.permissions_measures", str(pages), str(colleagues)],
                cwd=BASE_DIR,
                env={**os.environ, **ENVIRONMENT, "DATABASE_URL": url},
            )
        if measured.returncode:
            sys.exit("The measuring ended early; what it said is above.")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.permissions",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--pages", type=int, default=500, help="of each candidate, by turns")
    parser.add_argument("--colleagues", type=int, default=1000)
    options = parser.parse_args()
    # Both leave through the blocks that remove what was made.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        run(pages=options.pages, colleagues=options.colleagues)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
