"""Kills web servers, workers and the sweep at random under load, and looks for what was lost.

    python -m tools.kill_at_random [--seconds 120] [--seed N] [--tasks thread|database|redis]

Makes a PostgreSQL database at PGHOST, PGPORT and PGUSER (default: postgres at 127.0.0.1:5432), and
removes it; `--database-url` names an empty one instead, and leaves it. `--tasks redis` needs the
Redis of REDIS_URL. Exits 1 if anything was lost, and says what.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from tempfile import TemporaryDirectory
from typing import Any

import django
import psycopg
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections
from django.test.utils import override_settings
from django.utils import timezone

from config.processes import LOCALHOST, ManagedProcess, ProcessFailed, free_port
from config.stage import DIRECT, SANDBOX_KEY

# Django reads its settings once, so the arguments come before it.
parser = argparse.ArgumentParser(
    prog="python -m tools.kill_at_random",
    description=__doc__,
    formatter_class=argparse.RawDescriptionHelpFormatter,
)
parser.add_argument("--seconds", type=float, default=120, help="how long it kills")
parser.add_argument("--seed", type=int, default=random.randrange(1000), help="what it draws")
parser.add_argument("--tasks", choices=("thread", "database", "redis"), default="database")
parser.add_argument("--database-url", help="an empty database to use")
OPTIONS = parser.parse_args()
SERVER = "postgres://{PGUSER}@{PGHOST}:{PGPORT}".format_map(
    {"PGUSER": "postgres", "PGHOST": LOCALHOST, "PGPORT": "5432"} | os.environ
)
DATABASE = f"holdfast_kill_{os.getpid()}"
STRIPE_PORT = free_port()
# All that the product relies on, so that a developer's .env does not bend it.
os.environ |= {
    "DJANGO_SETTINGS_MODULE": "config.settings",
    "DEBUG": "true",
    "ALLOWED_HOSTS": LOCALHOST,
    "DATABASE_URL": OPTIONS.database_url or f"{SERVER}/{DATABASE}",
    "TASKS": OPTIONS.tasks,
    "CACHE_URL": "locmemcache://",
    "EMAIL_URL": "dummymail://",
    "STRIPE_API_HOST": f"http://{LOCALHOST}:{STRIPE_PORT}",
    "STRIPE_SECRET_KEY": SANDBOX_KEY,
    "STRIPE_TEST_CLOCK": "",
    "BILLING_GRACE_DAYS": "0",
    "LOG_LEVEL": "ERROR",
    "DJANGO_RUNSERVER_HIDE_WARNING": "true",
    "NO_PROXY": LOCALHOST,
    "no_proxy": LOCALHOST,
}
django.setup()

from billing import services as billing  # noqa: E402
from billing.models import Standing  # noqa: E402
from orgs import clock  # noqa: E402
from orgs import services as orgs  # noqa: E402
from orgs.models import Organization  # noqa: E402
from tools import kill_check  # noqa: E402
from tools.kill_load import PASSWORD, load  # noqa: E402
from tools.kill_stripe import Team, stripe_api  # noqa: E402
from tools.kill_victims import Victims  # noqa: E402

TEAMS = 30
# Seconds at the end in which nothing new is begun, and what is under way is killed on.
AFTERMATH = 10
SWEEP: tuple[str, ...] = ("sync_billing", "--due", "--every=2")
WORKERS = {
    "thread": (),
    "database": ("db_worker", "--interval=0.2", "--no-startup-delay", "--no-reload"),
    "redis": ("rqworker", "--job-class=django_tasks_rq.Job"),
}
# A delivery that failed seven times in a row is tried again after 64 seconds.
PATIENCE = 180
# So many looks in a row, a second apart, must find nothing left to do.
QUIET = 3


@contextmanager
def postgres_database() -> Iterator[None]:
    with psycopg.connect(f"{SERVER}/postgres", autocommit=True) as server:
        server.execute(f"CREATE DATABASE {DATABASE}")
        try:
            yield
        finally:
            connections.close_all()
            server.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")


@contextmanager
def stripe_stand_in() -> Iterator[None]:
    """Run it, and have the product's customers live by a test clock of its."""
    with (
        TemporaryDirectory(prefix="holdfast-kill-") as directory,
        ManagedProcess(
            "sandbox", f"--port={STRIPE_PORT}", f"--database={directory}/stripe.sqlite3"
        ) as sandbox,
    ):
        sandbox.wait_for_line("^Sandbox ready at ", within=60)
        made = stripe_api().test_helpers.test_clocks.create({"frozen_time": int(time.time())})
        settings.STRIPE_TEST_CLOCK = os.environ["STRIPE_TEST_CLOCK"] = made.id
        # As slow as Stripe is: a kill then often hits somebody who waits for it.
        control("weather", {"rules": [{"path": "/v1/*", "delay_ms": 100}]})
        yield


def control(name: str, body: dict[str, Any] | None = None) -> Any:
    """Call Stripe's stand-in itself: a GET, or with a body a POST."""
    data = None if body is None else json.dumps(body).encode()
    with DIRECT.open(f"{settings.STRIPE_API_HOST}/_sandbox/{name}", data) as answer:
        return json.load(answer)


def make_tables() -> None:
    """Make them from the models, as the tests do; guards and tiers come with it."""
    if connection.introspection.table_names():
        sys.exit("The database is not empty.")
    without_migrations = {app.label: None for app in apps.get_app_configs()}
    with override_settings(MIGRATION_MODULES=without_migrations):
        call_command("migrate", run_syncdb=True, verbosity=0)


def plant(number: int) -> Team:
    owner = orgs.sign_up(
        email=f"owner{number}@example.com",
        password=PASSWORD,
        name=f"Owner {number}",
        organization_name=f"Team {number}",
        is_email_verified=True,
    )
    organization = Organization.objects.get(owner=owner)
    member, now = f"member{number}@example.com", timezone.now()
    invitation = orgs.invite(
        organization=organization, email=member, by=organization.owner, now=now
    )
    orgs.join_as_new_person(invitation=invitation, name="", password=PASSWORD, now=now)
    # Some buy on the pages alone, the others at Stripe alone: both at once would buy twice.
    return Team(organization.pk, owner.email, member, buys_on_pages=number % 5 < 3)


def settle() -> Iterator[str]:
    """Wait until Stripe has delivered everything and nobody is marked; tell if that never came."""
    quiet, end = 0, time.monotonic() + PATIENCE
    while quiet < QUIET:
        if time.monotonic() > end:
            yield f"after {PATIENCE} s not everything is delivered and synced"
            return
        time.sleep(1)
        pending = control("deliveries")["pending"]
        quiet = 0 if pending or Standing.objects.marked().exists() else quiet + 1


def play() -> bool:
    """Play it all, print what was found, and say whether nothing was lost."""
    ports = {"web 1": free_port(), "web 2": free_port()}
    webs = [f"http://{LOCALHOST}:{port}" for port in ports.values()]
    commands = {"sweep": SWEEP}
    for name, port in ports.items():
        commands[name] = ("runserver", f"{LOCALHOST}:{port}", "--noreload")
    if worker := WORKERS[OPTIONS.tasks]:
        commands |= {"worker 1": worker, "worker 2": worker}
    make_tables()
    for web in webs:
        billing.set_up_stripe(base_url=web)
    teams = [plant(number) for number in range(TEAMS)]
    done: list[str] = []
    victims = Victims(commands, OPTIONS.seed)
    try:
        seconds = OPTIONS.seconds - AFTERMATH
        with load(teams, webs, OPTIONS.seed, seconds, done, victims.problems) as stopping:
            victims.kill_for(seconds)
            stopping.set()
            victims.kill_for(AFTERMATH)
        # As if the 90 seconds had passed in which nobody repeats a sync that was killed.
        Standing.objects.filter(lease_until__isnull=False).update(lease_until=clock.now())
        victims.problems.extend(settle())
    finally:
        victims.stop()
    problems = [*victims.problems, *kill_check.problems()]
    show(victims.kills, Counter(done), problems)
    return not problems


def show(kills: Counter[str], done: Counter[str], problems: list[str]) -> None:
    def told(who: str, *what: str) -> str:
        return ", ".join(f"{done[f'{who} {each}']} {each}" for each in what)

    each = ", ".join(f"{name} {times}" for name, times in kills.items())
    rows = {
        "kills": f"{kills.total()} in {OPTIONS.seconds:g} s: {each}",
        **kill_check.figures(),
        "changes at Stripe": told("Stripe", "tried", "refused"),
        "owners": told("owners", "clicks", "broken", "told to wait"),
        "members": told("members", "clicks", "broken", "told to wait"),
        "divergences": str(len(problems)),
    }
    print(f"{connection.vendor}, TASKS={OPTIONS.tasks}, seed {OPTIONS.seed}")
    print("\n".join([*(f"  {name:<18}{text}" for name, text in rows.items()), *problems]))


def main() -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with nullcontext() if OPTIONS.database_url else postgres_database(), stripe_stand_in():
            sys.exit(0 if play() else 1)
    except (ProcessFailed, psycopg.OperationalError) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
