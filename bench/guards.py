"""What the guards cost: `DEBUG=true python -m bench.guards`, on the database of DATABASE_URL.

Makes a test database of its own beside that one, and removes it. Prints how long it takes to
update a column that no guard speaks of in every organization, with guards and without them, and
how many statements a transfer of ownership makes.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

import django
from django.apps import apps
from django.core.management.color import no_style
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext, override_settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from accounts import services as accounts  # noqa: E402
from accounts.models import User, UserType  # noqa: E402
from orgs import services as orgs  # noqa: E402
from orgs.guards import installation  # noqa: E402
from orgs.models import Organization  # noqa: E402

GOAL = 1.1
TIDY = {
    "sqlite": "PRAGMA wal_checkpoint(TRUNCATE)",
    "postgresql": "VACUUM FULL ANALYZE orgs_organization",
}
# How often it updates in one measurement: SQLite is too quick for one to tell much.
UPDATES = {"sqlite": 10, "postgresql": 1}

NUMBERS = (
    "WITH RECURSIVE numbers (n) AS "
    "(SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {organizations}) "
)
# Each organization with an owner of the same number, and its line in the log. The keys between
# the two are looked at when it is all there.
FILL = (
    "INSERT INTO orgs_organization (id, owner_id, name, slug, billing_email, created_at) "
    "{numbers} SELECT n, n, 'Team ' || n, 'team-' || n, '', CURRENT_TIMESTAMP FROM numbers",
    "INSERT INTO accounts_user (id, organization_id, email, name, password, user_type, is_active, "
    "is_staff, is_superuser, session_generation, created_at) {numbers} SELECT n, n, "
    "'person' || n || '@example.com', '', '', 'member', TRUE, FALSE, FALSE, 0, CURRENT_TIMESTAMP "
    "FROM numbers",
    "INSERT INTO accounts_usereventlog (event, user_id, actor_id, organization_id, data, device, "
    "request_id, created_at) {numbers} SELECT 'organization_founded', n, n, n, '{{}}', '', '', "
    "CURRENT_TIMESTAMP FROM numbers",
)


@contextmanager
def database() -> Iterator[None]:
    """Use a throwaway database, made without migrations as those of the tests are."""
    without_migrations = {app.label: None for app in apps.get_app_configs()}
    original_name = connection.settings_dict["NAME"]
    # Not the name that the tests use: both may run at once.
    connection.settings_dict["TEST"]["NAME"] = f"{original_name}_bench_{os.getpid()}"
    with override_settings(MIGRATION_MODULES=without_migrations):
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        yield
    finally:
        connection.creation.destroy_test_db(original_name, verbosity=0)


def fill(organizations: int) -> None:
    numbers = NUMBERS.format(organizations=organizations)
    sequences = connection.ops.sequence_reset_sql(no_style(), [User, Organization])
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in (*FILL, *sequences):
            cursor.execute(statement.format(numbers=numbers))


def time_of_update() -> float:
    """Return the seconds that it takes to update every organization, commit included."""
    with connection.cursor() as cursor:
        # What the round before left behind is not to be paid for by this one.
        cursor.execute(TIDY[connection.vendor])
        began = perf_counter()
        for number in range(UPDATES[connection.vendor]):
            address = f"bills{number}@example.com"
            cursor.execute("UPDATE orgs_organization SET billing_email = %s", [address])
        return (perf_counter() - began) / UPDATES[connection.vendor]


def compare(rounds: int) -> dict[str, list[float]]:
    """Time the update with guards and without them by turns, beginning with either by turns."""
    turns = {"with guards": installation.install, "without guards": installation.drop}
    times: dict[str, list[float]] = {name: [] for name in turns}
    time_of_update()
    for number in range(rounds):
        for name in sorted(turns, reverse=bool(number % 2)):
            turns[name](connection)
            times[name].append(time_of_update())
    installation.install(connection)
    return times


@transaction.atomic
def statements_of_a_transfer() -> int:
    """Count what one transfer asks of the database; it is rolled back, so no mail leaves."""
    owner, heir = (
        accounts.create_person(email=f"{name}@example.com", password=None)
        for name in ("owner", "heir")
    )
    staff = accounts.create_person(
        email="staff@example.com",
        password=None,
        user_type=UserType.DEVELOPER,
        is_staff=True,
        is_superuser=True,
    )
    team = orgs.found_organization(name="Measured", owner=owner)
    User.objects.filter(pk=heir.pk).update(organization=team)
    with CaptureQueriesContext(connection) as made:
        orgs.transfer_ownership(organization=team, new_owner=heir, by=staff, reason="Measured.")
    transaction.set_rollback(True)
    return sum("SAVEPOINT" not in query["sql"] for query in made.captured_queries)


def report(times: dict[str, list[float]], organizations: int, statements: int) -> str:
    pairs = zip(times["with guards"], times["without guards"], strict=True)
    ratio = statistics.median(guarded / bare for guarded, bare in pairs)
    lines = [
        f"{connection.vendor}: updating billing_email in {organizations} organizations",
        f"{'':16}{'median':>10}{'fastest':>10}{'slowest':>10}",
    ]
    for name, seconds in times.items():
        figures = (statistics.median(seconds), min(seconds), max(seconds))
        lines.append(f"{name:16}" + "".join(f"{each * 1000:>7.0f} ms" for each in figures))
    lines += [
        f"{'ratio':16}{ratio:>10.2f}   (median of the rounds; goal: {GOAL} at most)",
        f"{'a transfer':16}{statements:>10} statements, however large the team",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.guards", description=__doc__)
    parser.add_argument("--organizations", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=15, help="of both, by turns")
    options = parser.parse_args()
    with database():
        statements = statements_of_a_transfer()
        fill(options.organizations)
        times = compare(options.rounds)
        sys.stdout.write(report(times, options.organizations, statements))


if __name__ == "__main__":
    main()
