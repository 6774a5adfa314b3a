"""Measures permissions on one database: started by `python -m bench.permissions`, not by hand.

Its settings lead to an empty database. Takes how many pages to ask for and how many colleagues
there are; prints a table.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter

import django
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext, override_settings

django.setup()

from django.contrib.auth.models import Group, Permission  # noqa: E402
from guardian.core import ObjectPermissionChecker  # noqa: E402
from guardian.shortcuts import assign_perm  # noqa: E402

from accounts import services as accounts  # noqa: E402
from accounts.backends import AuthenticationBackend  # noqa: E402
from accounts.models import User  # noqa: E402
from bench.databases import make_tables  # noqa: E402
from orgs import services as orgs  # noqa: E402
from orgs.models import Organization, Role, Tier, UserRoleAssignment  # noqa: E402

SIZES = (1, 10, 100)
ROLES_OF_COLLEAGUES = 10
OURS = "Holdfast"

Ask = Callable[[str], bool]


@dataclass(frozen=True)
class Candidate:
    """Whoever answers: its backends, and how a request begins to ask it."""

    backends: list[str]
    begin: Callable[[User, Organization], Ask]


def ask_holdfast(user: User, organization: Organization) -> Ask:
    return lambda permission: user.has_perm(permission, organization)


def ask_guardian(user: User, organization: Organization) -> Ask:
    checker = ObjectPermissionChecker(user)
    return lambda permission: checker.has_perm(permission, organization)


def ask_model_backend(user: User, organization: Organization) -> Ask:
    return user.has_perm


CANDIDATES = {
    OURS: Candidate(settings.AUTHENTICATION_BACKENDS, ask_holdfast),
    "django-guardian": Candidate(settings.AUTHENTICATION_BACKENDS, ask_guardian),
    "ModelBackend": Candidate(["django.contrib.auth.backends.ModelBackend"], ask_model_backend),
}


@dataclass(frozen=True)
class Figures:
    """What one candidate took for one person."""

    # Of the first check, and of the later ones together.
    statements: tuple[int, int]
    # Seconds, each the median of all pages: the first check, a later one, the whole page.
    times: tuple[float, float, float]


class World:
    """An organization on the highest tier, roles and groups, and people who hold so many."""

    def __init__(self, colleagues: int) -> None:
        make_tables()
        owner = accounts.create_person(email="owner@example.com", password=None)
        self.team = orgs.found_organization(name="Measured", owner=owner)
        business = Tier.objects.get(key="business")
        Organization.objects.filter(pk=self.team.pk).update(tier=business)
        permissions = list(business.entitlements.all())
        self.permissions = [f"orgs.{each.codename}" for each in permissions]
        self.roles = [self._add_role(number, permissions) for number in range(max(SIZES))]
        self.groups = [self._add_group(number, permissions) for number in range(max(SIZES))]
        self.people = {size: self._add_people(f"holds{size}-", 1, size)[0] for size in SIZES}
        self._add_people("colleague", colleagues, ROLES_OF_COLLEAGUES)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")

    def _add_role(self, number: int, permissions: list[Permission]) -> Role:
        own = self.team if number % 2 else None
        role = Role.objects.create(key=f"role{number}", name=f"Role {number}", organization=own)
        role.permissions.set(permissions)
        return Role.objects.get(pk=role.pk)

    def _add_group(self, number: int, permissions: list[Permission]) -> Group:
        group = Group.objects.create(name=f"group{number}")
        group.permissions.set(permissions)
        for permission in permissions:
            assign_perm(permission, group, self.team)
        return group

    def _add_people(self, name: str, number: int, size: int) -> list[User]:
        """Add so many members who hold so many roles and are in so many groups each."""
        people = User.objects.bulk_create(
            User(email=f"{name}{each}@example.com", organization=self.team)
            for each in range(number)
        )
        UserRoleAssignment.objects.bulk_create(
            UserRoleAssignment(
                user=person,
                role=role,
                kind=role.kind,
                role_scope=role.scope,
                organization=self.team,
            )
            for person in people
            for role in self.roles[:size]
        )
        membership = User.groups.through
        membership.objects.bulk_create(
            membership(user=person, group=group)
            for person in people
            for group in self.groups[:size]
        )
        return people


def show_page(candidate: Candidate, person: User, permissions: list[str]) -> list[float]:
    """Load the person as a request does, and return how many seconds each answer took."""
    user = AuthenticationBackend().get_user(person.pk)
    assert user is not None
    assert user.organization is not None
    answers, seconds = [], []
    with override_settings(AUTHENTICATION_BACKENDS=candidate.backends):
        began = perf_counter()
        ask = candidate.begin(user, user.organization)
        for permission in permissions:
            answers.append(ask(permission))
            ended = perf_counter()
            seconds.append(ended - began)
            began = ended
    if not all(answers):
        sys.exit("Somebody was refused what everybody holds, so there is nothing to compare.")
    return seconds


def statements(candidate: Candidate, person: User, permissions: list[str]) -> tuple[int, int]:
    """Count those of the first check, and of the later ones together."""
    counts = []
    for asked in ([], permissions[:1], permissions):
        with CaptureQueriesContext(connection) as made:
            show_page(candidate, person, asked)
        counts.append(len(made))
    loading, with_first, with_all = counts
    return with_first - loading, with_all - with_first


def compare(world: World, size: int, pages: int) -> dict[str, Figures]:
    """Show everybody's pages by turns, beginning with each by turns."""
    person = world.people[size]
    seconds: dict[str, list[list[float]]] = {name: [] for name in CANDIDATES}
    # This warms up as well.
    counted = {
        name: statements(candidate, person, world.permissions)
        for name, candidate in CANDIDATES.items()
    }
    turns = list(CANDIDATES)
    for _ in range(pages):
        for name in turns:
            seconds[name].append(show_page(CANDIDATES[name], person, world.permissions))
        turns.append(turns.pop(0))
    return {
        name: Figures(
            statements=counted[name],
            times=(
                median(page[0] for page in shown),
                median(each for page in shown for each in page[1:]),
                median(map(sum, shown)),
            ),
        )
        for name, shown in seconds.items()
    }


def report(found: dict[int, dict[str, Figures]]) -> str:
    """Return a table: each beside ours, and each with most roles beside itself with fewest."""
    lines = [
        f"{'':28}{'statements':>12}{'first check':>20}{'a later check':>20}{'the page':>20}",
        f"{'roles':>8}{'':20}{'first':>6}{'later':>6}" + f"{'ratio':>20}" * 3,
    ]
    for size, figures in found.items():
        for name, each in figures.items():
            counts = "{:>6}{:>6}".format(*each.statements)
            cells = _cells(each.times, each.times, figures[OURS].times)
            lines.append(f"{size:>8}  {name:18}{counts}{cells}")
    few, many = min(SIZES), max(SIZES)
    for name in CANDIDATES:
        less, more = found[few][name].times, found[many][name].times
        added = [after - before for before, after in zip(less, more, strict=True)]
        lines.append(f"{f'{many} to {few}':>8}  {name:18}{'':12}{_cells(added, more, less, '+')}")
    return "\n".join(lines) + "\n"


def _cells(
    shown: Sequence[float], times: Sequence[float], beside: Sequence[float], sign: str = ""
) -> str:
    """Write three times, each followed by the ratio of `times` to `beside`."""
    units = ((1e3, 3, "ms"), (1e6, 1, "µs"), (1e3, 3, "ms"))
    return "".join(
        f"{seconds * scale:>{sign}10.{digits}f} {unit}{time / other:>7.2f}"
        for (scale, digits, unit), seconds, time, other in zip(
            units, shown, times, beside, strict=True
        )
    )


def main() -> None:
    pages, colleagues = map(int, sys.argv[1:])
    world = World(colleagues)
    found = {size: compare(world, size, pages) for size in SIZES}
    asked = f"{len(world.permissions)} permissions a page, {pages} pages, {colleagues} colleagues"
    sys.stdout.write(f"{connection.vendor}: {asked}\n{report(found)}\n")


if __name__ == "__main__":
    main()
