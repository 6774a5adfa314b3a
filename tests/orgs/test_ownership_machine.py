"""Random histories: whatever is done, in whatever order, the invariants hold after each step.

Each step says whether it may be done, and a step that is refused has changed nothing.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from accounts.models import User, UserEventLog, UserType
from billing.models import Standing, SyncAttempt
from orgs import services
from orgs.guards import installation
from orgs.models import Organization, OwnershipTransfer
from tests.cast import PersonFactory
from tests.orgs.invariants import BROKEN, HISTORY, STATE, rows

REFUSALS = (IntegrityError, ValidationError, services.AlreadyMember, services.TransferRefused)

Statement = tuple[str, tuple[Any, ...]]
NUMBERS = itertools.count()
# How somebody goes, and how somebody might write history anew.
GOING: tuple[dict[str, Any], ...] = (
    {"is_active": False},
    {"is_active": False, "deleted_at": timezone.now()},
)
FORGING = (
    "DELETE FROM orgs_ownershiptransfer",
    "DELETE FROM accounts_usereventlog",
    "UPDATE orgs_ownershiptransfer SET reason = 'Forged.'",
    "UPDATE accounts_usereventlog SET event = 'nothing_happened'",
)


def execute(*statements: Statement) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(*statement)


def owned(person: int) -> int | None:
    """Return the organization that this person owns."""
    return Organization.objects.filter(owner=person).values_list("pk", flat=True).first()


def is_eligible(team: int, heir: int) -> bool:
    return Organization.objects.get(pk=team).eligible_owners().filter(pk=heir).exists()


def somebody(team: int, person: int | None) -> int:
    """Return this person; or, for None, a member who may own the team, if it has one."""
    organization = Organization.objects.get(pk=team)
    member = organization.eligible_owners().order_by("pk").first()
    return person or (member.pk if member else organization.owner_id)


class Ownership(RuleBasedStateMachine):
    people: Bundle[int] = Bundle("people")
    teams: Bundle[int] = Bundle("teams")

    def __init__(self) -> None:
        super().__init__()
        self.staff: User = PersonFactory.create(
            user_type=UserType.DEVELOPER, is_staff=True, is_superuser=True
        )
        self.crowd: list[User] = PersonFactory.create_batch(6)
        self.founded = [
            services.found_organization(name="Team", owner=owner) for owner in self.crowd[:2]
        ]
        for person, team in zip(self.crowd[2:], self.founded * 2, strict=True):
            User.objects.filter(pk=person.pk).update(organization=team)
        self.history = [rows(query) for query in HISTORY]

    def attempt(self, act: Callable[[], object], *, is_allowed: bool) -> None:
        before = [rows(query) for query in STATE]
        try:
            with transaction.atomic():
                act()
        except REFUSALS:
            assert not is_allowed, "refused"
            assert [rows(query) for query in STATE] == before
        else:
            assert is_allowed, "not refused"

    def attempt_sql(self, *statements: Statement, is_allowed: bool) -> None:
        self.attempt(lambda: execute(*statements), is_allowed=is_allowed)

    def change(self, person: int, *, is_allowed: bool, **fields: object) -> None:
        self.attempt(lambda: User.objects.filter(pk=person).update(**fields), is_allowed=is_allowed)

    # --- What may happen ----------------------------------------------------------------------

    @initialize(target=people)
    def people_of_the_first_hour(self) -> MultipleResults[int]:
        return multiple(*[person.pk for person in self.crowd])

    @initialize(target=teams)
    def teams_of_the_first_hour(self) -> MultipleResults[int]:
        return multiple(*[team.pk for team in self.founded])

    @rule(target=people)
    def arrive(self) -> int:
        return User.objects.create_user(f"machine{next(NUMBERS)}@example.com").pk

    @rule(target=teams, founder=people)
    def found(self, founder: int) -> MultipleResults[int]:
        person = User.objects.get(pk=founder)
        is_allowed = (
            person.organization_id is None and person.is_present and not person.is_developer
        )
        self.attempt(
            lambda: services.found_organization(name="Team", owner=person), is_allowed=is_allowed
        )
        return multiple(*([Organization.objects.latest("pk").pk] if is_allowed else []))

    @rule(person=people, team=teams)
    def join(self, person: int, team: int) -> None:
        is_member = not User.objects.get(pk=person).is_developer
        self.change(
            person, organization=team, is_allowed=is_member and owned(person) in (None, team)
        )

    @rule(person=people)
    def leave(self, person: int) -> None:
        self.change(person, organization=None, is_allowed=owned(person) is None)

    @rule(person=people, how=st.sampled_from(GOING))
    def go(self, person: int, how: dict[str, Any]) -> None:
        self.change(person, is_allowed=owned(person) is None, **how)

    @rule(person=people)
    def come_back(self, person: int) -> None:
        self.change(person, is_active=True, deleted_at=None, is_allowed=True)

    @rule(person=people, user_type=st.sampled_from(UserType))
    def turn(self, person: int, user_type: UserType) -> None:
        is_home = User.objects.get(pk=person).organization_id is not None
        self.change(person, user_type=user_type, is_allowed=user_type == "member" or not is_home)

    @rule(team=teams, heir=st.none() | people)
    def hand_on(self, team: int, heir: int | None) -> None:
        heir = somebody(team, heir)
        self.attempt(
            lambda: services.transfer_ownership(
                organization=Organization.objects.get(pk=team),
                new_owner=User.objects.get(pk=heir),
                by=self.staff,
                reason="By chance.",
            ),
            is_allowed=is_eligible(team, heir),
        )

    @rule(team=teams, giver=st.none() | people, heir=st.none() | people)
    def insert_transfer(self, team: int, giver: int | None, heir: int | None) -> None:
        heir = somebody(team, heir)
        giver = giver or Organization.objects.get(pk=team).owner_id
        self.attempt_sql(
            (
                "INSERT INTO orgs_ownershiptransfer (organization_id, from_owner_id, to_owner_id, "
                "reason, created_at) VALUES (%s, %s, %s, 'By chance.', %s)",
                (team, giver, heir, timezone.now()),
            ),
            is_allowed=owned(giver) == team and is_eligible(team, heir),
        )

    # --- What may not -------------------------------------------------------------------------

    @rule(team=teams, person=st.none() | people)
    def write_owner(self, team: int, person: int | None) -> None:
        person = somebody(team, person)
        self.attempt_sql(
            ("UPDATE orgs_organization SET owner_id = %s WHERE id = %s", (person, team)),
            is_allowed=owned(person) == team,
        )

    @rule(one=teams, other=teams)
    def swap_owners(self, one: int, other: int) -> None:
        self.attempt_sql(
            (
                "UPDATE orgs_organization SET owner_id = (SELECT owner_id FROM orgs_organization "
                "AS theirs WHERE theirs.id = %s + %s - orgs_organization.id) WHERE id IN (%s, %s)",
                (one, other, one, other),
            ),
            is_allowed=one == other,
        )

    @rule(team=teams)
    def delete_team(self, team: int) -> None:
        self.attempt_sql(("DELETE FROM orgs_organization WHERE id = %s", (team,)), is_allowed=False)

    @rule(team=teams, person=st.none() | people)
    def make_team_anew(self, team: int, person: int | None) -> None:
        person = somebody(team, person)
        home = "UPDATE accounts_user SET organization_id = %s WHERE "
        self.attempt_sql(
            (f"{home} organization_id = %s", (None, team)),
            ("DELETE FROM orgs_organization WHERE id = %s", (team,)),
            (
                "INSERT INTO orgs_organization (id, owner_id, name, slug, billing_email, "
                "created_at) VALUES (%s, %s, 'Anew', 'anew', '', %s)",
                (team, person, timezone.now()),
            ),
            (f"{home} id = %s", (team, person)),
            is_allowed=False,
        )

    @rule(target=people, person=consumes(people))
    def delete_person(self, person: int) -> MultipleResults[int]:
        is_owner = owned(person) is not None
        self.attempt_sql(
            ("DELETE FROM account_emailaddress WHERE user_id = %s", (person,)),
            ("DELETE FROM accounts_user WHERE id = %s", (person,)),
            is_allowed=not is_owner,
        )
        return multiple(*([person] if is_owner else []))

    @rule(team=teams, how=st.sampled_from(FORGING))
    def forge_history(self, team: int, how: str) -> None:
        table = how.split()[2 if how.startswith("DELETE") else 1]
        has_some = bool(rows(f"SELECT 1 FROM {table} WHERE organization_id = {team}"))
        statement = (f"{how} WHERE organization_id = %s", (team,))
        self.attempt_sql(statement, is_allowed=not has_some)

    @rule(team=teams)
    def change_id(self, team: int) -> None:
        self.attempt_sql(
            ("DELETE FROM billing_standing WHERE organization_id = %s", (team,)),
            ("UPDATE orgs_organization SET id = -id WHERE id = %s", (team,)),
            (
                "UPDATE accounts_user SET organization_id = %s WHERE organization_id = %s",
                (-team, team),
            ),
            is_allowed=False,
        )

    # --- What holds ---------------------------------------------------------------------------

    @invariant()
    def nothing_is_broken(self) -> None:
        assert {name: rows(query) for name, query in BROKEN.items()} == {
            name: [] for name in BROKEN
        }

    @invariant()
    def what_happened_stays(self) -> None:
        """I5: what was recorded is still recorded, and new records come after it."""
        now = [rows(query) for query in HISTORY]
        assert [new[: len(old)] for new, old in zip(now, self.history, strict=True)] == self.history
        self.history = now

    def teardown(self) -> None:
        """Leave nothing to the next history, least of all what this one broke."""
        installation.drop(connection)
        with transaction.atomic():
            for model in (
                SyncAttempt,
                Standing,
                EmailAddress,
                OwnershipTransfer,
                UserEventLog,
                Organization,
                User,
            ):
                model._base_manager.all()._raw_delete("default")
        installation.install(connection)


@pytest.mark.parametrize("histories", [8, pytest.param(30, marks=pytest.mark.thorough)])
@pytest.mark.django_db(transaction=True)
def test_the_invariants_hold_after_every_step_of_random_histories(histories: int) -> None:
    run_state_machine_as_test(
        Ownership,
        settings=settings(
            max_examples=histories,
            stateful_step_count=30,
            derandomize=True,
            database=None,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
