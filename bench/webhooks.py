"""Webhooks beside stock dj-stripe: `python -m bench.webhooks`, on SQLite and on PostgreSQL.

Makes a database of its own on each, Stripe's stand-in and two servers, and removes them. Posts
signed events to Holdfast and to dj-stripe's own view by turns, while Stripe takes 300 ms for each
call. Prints acknowledgements a second and what they cost, how many calls a burst makes, and how
long access lags behind an event; writes the same to docs/webhooks-benchmark.md.

DATABASE_URL says which PostgreSQL (default: postgres at 127.0.0.1:5432).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.databases import has_postgres, postgres, sqlite
from bench.webhooks_figures import Figures, Handling, tables
from config.processes import BASE_DIR, LOCALHOST, ManagedProcess

# dj-stripe refuses keys that are shorter than Stripe's.
KEY = f"sk_test_{'sandbox' * 4}"
PAGE = BASE_DIR / "docs" / "webhooks-benchmark.md"
SETTINGS = ("config.settings", "bench.webhooks_stock_settings")
TEXT = """\
# Webhooks beside stock dj-stripe

`python -m bench.webhooks` wrote this page on {date}, with Python {python}, Django {django},
dj-stripe {djstripe} and stripe {stripe}, on {cores} processor cores that clients, servers,
database and Stripe's stand-in share.

{tables}

How each was measured:

- **Acknowledgements/s, p50, p99**: eight clients post signed events as fast as they are answered,
  by turns to Holdfast's server and to one with dj-stripe's own view; both servers are two
  processes with four threads each, on the same database, while the stand-in takes 300 ms for each
  call. The first ratio is one of eight threads: each of dj-stripe's waits for those calls, so with
  more threads it acknowledges more on PostgreSQL, whereas Holdfast waits for the processors.
- **The events** are those that the stand-in made when eight organizations subscribed, each under
  a new id, so that none is skipped as a duplicate; each client has an organization of its own.
- **Not acknowledged**: answered by anything but a 2xx. These count in none of the other columns.
- **Statements, Stripe calls**: what one acknowledgement makes on average before it is answered,
  without what begins and ends transactions. Holdfast's calls follow on a thread of their own.
- **A burst**: 100 events of one organization, posted by 100 clients at once; the calls are
  counted until it is no longer marked. It was done {bursts} times.
- **Lag**: a trial ends without a card, which pauses the subscription; from the post of that event
  until the organization is locked in the database, for {lags} organizations.
"""


def environment(database_url: str, stripe_url: str) -> dict[str, str]:
    """Return all that the product relies on: as in production, but for Stripe's stand-in."""
    return {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DEBUG": "false",
        "SECRET_KEY": "benchmark-only",
        "SECURE_SSL_REDIRECT": "false",
        "ALLOWED_HOSTS": LOCALHOST,
        "DATABASE_URL": database_url,
        "CACHE_URL": "locmemcache://",
        "EMAIL_URL": "dummymail://",
        "STRIPE_API_HOST": stripe_url,
        "STRIPE_SECRET_KEY": KEY,
        "STRIPE_TEST_CLOCK": "",
        "BILLING_GRACE_DAYS": "0",
        "LOG_LEVEL": "CRITICAL",
        "NO_PROXY": LOCALHOST,
        "no_proxy": LOCALHOST,
        # No page is served, so no static file was collected.
        "PYTHONWARNINGS": "ignore:No directory at:UserWarning",
    }


@contextmanager
def python(module: str, *arguments: str, env: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Run a module of this project as a process, until the block ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=BASE_DIR,
        env={**os.environ, **env},
        stdout=subprocess.PIPE,
        text=True,
        # Ctrl-C in the terminal reaches us alone, and we stop our children in order.
        start_new_session=True,
    )
    assert process.stdout is not None
    with process.stdout:
        try:
            yield process
        finally:
            process.terminate()
            process.wait()


def measure(database_url: str) -> Figures:
    """Start everything on an empty database, and return what was found."""
    with ExitStack() as stack:
        directory = stack.enter_context(TemporaryDirectory(prefix="holdfast-bench-"))
        sandbox = stack.enter_context(
            ManagedProcess("sandbox", "--port=0", f"--database={directory}/sandbox.sqlite3")
        )
        ready = sandbox.wait_for_line(r"^Sandbox ready at (\S+)$", within=60)
        env = environment(database_url, ready[1])
        urls = [stack.enter_context(serving(settings, env)) for settings in SETTINGS]
        with python("bench.webhooks_measures", *urls, env=env) as measures:
            printed, _ = measures.communicate()
    if measures.returncode:
        sys.exit("The measuring ended early; what it said is above.")
    found = json.loads(printed)
    for name in ("holdfast", "stock"):
        found[name] = Handling(**found[name])
    return Figures(**found)


@contextmanager
def serving(settings: str, env: Mapping[str, str]) -> Iterator[str]:
    """Serve the project with these settings; yield the address."""
    with python("bench.webhooks_server", env={**env, "DJANGO_SETTINGS_MODULE": settings}) as server:
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        if not address:
            sys.exit("A server did not start; what it said is above.")
        yield address


def page(found: dict[str, Figures]) -> str:
    figures = next(iter(found.values()))
    return TEXT.format(
        date=datetime.now(UTC).date(),
        python=platform.python_version(),
        django=version("django"),
        djstripe=version("dj-stripe"),
        stripe=version("stripe"),
        cores=os.cpu_count(),
        tables=tables(found),
        bursts=len(figures.calls_of_bursts),
        lags=len(figures.lags),
    )


def run(path: Path) -> None:
    databases = {"SQLite": sqlite, **({"PostgreSQL": postgres} if has_postgres() else {})}
    found = {}
    for name, database in databases.items():
        sys.stderr.write(f"Measuring on {name}: about two minutes.\n")
        with database() as url:
            found[name] = measure(url)
    text = page(found)
    path.write_text(text)
    sys.stdout.write(text)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.webhooks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--output", type=Path, default=PAGE, help="the page (default: in docs/)")
    options = parser.parse_args()
    # Both leave through the blocks that remove what was made.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        run(options.output)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
