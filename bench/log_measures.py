"""Measures the log on one database: started by `python -m bench.log`, not by hand."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from statistics import median
from time import perf_counter
from unittest.mock import patch

import django
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

django.setup()

from accounts import services as accounts  # noqa: E402
from accounts.models import User, UserEventLog, UserType  # noqa: E402
from bench.databases import make_tables  # noqa: E402
from orgs import services as orgs  # noqa: E402
from orgs.models import Role  # noqa: E402

CHANGES = 200
WRITERS = (1, 2, 4, 8)
SECONDS = 3.0
FEW, MANY = 10**4, 10**6
LOOKS = 30
# So few that each has more lines than are paged through, already among the 10^4.
PEOPLE = 7
LISTS: dict[str, dict[str, str]] = {
    "the list": {},
    "one kind": {"kind": "standing_changed"},
    "the last week": {"days": "7"},
    "one person": {"q": "person3@"},
}
NUMBERS = {
    "sqlite": "WITH RECURSIVE n(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM n "
    "WHERE n < {last})",
    "postgresql": "WITH n(n) AS (SELECT * FROM generate_series({first}, {last}))",
}
# One line in eight is of the kind that is looked for: more than are paged through, again.
LINES = """
INSERT INTO accounts_usereventlog (event, user_id, actor_id, organization_id, data, device,
    request_id, created_at)
{numbers}
SELECT CASE WHEN n % 8 = 0 THEN 'standing_changed' ELSE 'login' END,
    {first_person} + n % {people}, {first_person} + n % {people}, {organization}, '{{}}', '', '',
    {then} FROM n
"""
THEN = {
    "sqlite": "datetime('now', '-' || (({last} - n) / 20) || ' minutes')",
    "postgresql": "now() - ({last} - n) / 20 * interval '1 minute'",
}


class World:
    def __init__(self) -> None:
        make_tables()
        self.owner = accounts.create_person(email="owner@example.com", password=None)
        self.team = orgs.found_organization(name="Measured", owner=self.owner)
        self.owner.refresh_from_db()
        self.staff = accounts.create_person(
            email="staff@example.com",
            password=None,
            user_type=UserType.DEVELOPER,
            is_staff=True,
            is_superuser=True,
        )
        people = [
            User(email=f"person{number}@example.com", organization=self.team)
            for number in range(PEOPLE)
        ]
        self.people = User.objects.bulk_create(people)
        self.role = Role.objects.get(key="member", organization=None)

    def change_role(self) -> float:
        """Give a role and take it again; return the seconds of one of both."""
        person, role, by = self.people[0], self.role, self.owner
        began = perf_counter()
        orgs.assign_role(user=person, role=role, by=by, now=timezone.now())
        orgs.revoke_role(user=person, role=role, by=by, now=timezone.now())
        return (perf_counter() - began) / 2

    def fill(self, first: int, last: int) -> None:
        vendor = connection.vendor
        with connection.cursor() as cursor:
            cursor.execute(
                LINES.format(
                    numbers=NUMBERS[vendor].format(first=first, last=last),
                    first_person=self.people[0].pk,
                    people=PEOPLE,
                    organization=self.team.pk,
                    then=THEN[vendor].format(last=last),
                )
            )
            # So that PostgreSQL does not do it while it is measured.
            cursor.execute("ANALYZE" if vendor == "sqlite" else "VACUUM ANALYZE")


def role_change(world: World) -> str:
    times: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(CHANGES):
        for is_logged, found in times.items():
            with ExitStack() as stack:
                if not is_logged:
                    stack.enter_context(patch.object(accounts, "record_event"))
                found.append(world.change_role())
    logged, unlogged = (median(times[is_logged]) * 1000 for is_logged in (True, False))
    return (
        f"a role change with its line {logged:.2f} ms, without {unlogged:.2f} ms, "
        f"ratio {logged / unlogged:.2f}"
    )


def writers(number: int) -> float:
    """Return how many lines a second so many processes write together."""
    command = [sys.executable, "-m", "bench.log_writer", str(SECONDS)]
    started = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _each in range(number)
    ]
    for each in started:
        assert each.stdout is not None
        each.stdout.readline()
    for each in started:
        assert each.stdin is not None
        each.stdin.write("\n")
        each.stdin.flush()
    return sum(int(each.communicate()[0]) for each in started) / SECONDS


def lists(client: Client) -> dict[str, float]:
    page = reverse("admin:accounts_usereventlog_changelist")
    return {name: seconds(partial(client.get, page, query)) for name, query in LISTS.items()}


def seconds(look: Callable[[], object]) -> float:
    look()
    times = []
    for _ in range(LOOKS):
        began = perf_counter()
        look()
        times.append(perf_counter() - began)
    return median(times)


def main() -> None:
    world = World()
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(world.staff)
    # First, while the log is as short as it says: what comes after leaves lines too.
    world.fill(UserEventLog.objects.count(), FEW)
    few = lists(client)
    world.fill(UserEventLog.objects.count(), MANY)
    many = lists(client)
    lines = [connection.vendor, role_change(world)]
    if connection.vendor == "postgresql":
        rates = {number: writers(number) for number in WRITERS}
        lines += [f"{number} writers: {rate:.0f} lines/s" for number, rate in rates.items()]
    for name, time in few.items():
        lines.append(
            f"{name}: {time * 1000:.1f} ms with 10^4 lines, {many[name] * 1000:.1f} ms with 10^6, "
            f"ratio {many[name] / time:.2f}"
        )
    sys.stdout.write("\n  ".join(lines) + "\n")


if __name__ == "__main__":
    main()
