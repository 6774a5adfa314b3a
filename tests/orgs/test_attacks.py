"""I1 to I6: nothing and nobody changes an owner, or what happened, past a transfer.

Each attack goes around the services, commits if it can, and leaves everything as it was. Those in
SQL run a second time in a program without Django. A new attack is one line in one of the tables.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import psycopg.conninfo
import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User, UserEventLog
from orgs import services
from orgs.models import Organization
from tests.cast import OrganizationFactory, PersonFactory, add_member
from tests.orgs import without_django
from tests.orgs.attacks import IN_SQL, WATCHED, Stage, set_the_stage, statements
from tests.orgs.attacks_in_python import IN_THE_ADMIN, THROUGH_DJANGO, rows, update

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stage(transactional_db: None) -> Stage:
    return set_the_stage()


def everything() -> list[list[tuple[Any, ...]]]:
    with connection.cursor() as cursor:
        return [cursor.execute(query) and cursor.fetchall() for query in WATCHED]


def assert_refused(attack: Callable[[Stage], object], stage: Stage) -> None:
    before = everything()
    with pytest.raises(IntegrityError), transaction.atomic():
        attack(stage)
    assert everything() == before


# --- In SQL -----------------------------------------------------------------------------------


def execute(attack: str, stage: Stage) -> None:
    with connection.cursor() as cursor:
        for statement in statements(attack, stage):
            cursor.execute(statement)


def test_the_database_refuses_in_sql(stage: Stage, subtests: pytest.Subtests) -> None:
    for name, attack in IN_SQL.items():
        with subtests.test(name):
            assert_refused(partial(execute, attack), stage)


def plain_address() -> tuple[str, str]:
    """Return the driver and what it connects to, as a program knows them that is not Django."""
    parameters = connection.get_connection_params()
    if connection.vendor == "sqlite":
        return "sqlite3", str(parameters["database"])
    known = ("dbname", "host", "port", "user", "password")
    given = {name: parameters[name] for name in known if parameters.get(name)}
    return "psycopg", psycopg.conninfo.make_conninfo(**given)


@pytest.mark.process
def test_the_database_refuses_a_program_without_django(stage: Stage) -> None:
    address = connection.get_connection_params()
    order = {
        "driver": "sqlite3" if connection.vendor == "sqlite" else "psycopg",
        "address": address["database"]
        if connection.vendor == "sqlite"
        else psycopg.conninfo.make_conninfo(
            **{
                key: address[key]
                for key in ("dbname", "host", "port", "user", "password")
                if address.get(key)
            }
        ),
        "attacks": {name: statements(attack, stage) for name, attack in IN_SQL.items()},
        "watched": WATCHED,
    }
    program = [sys.executable, "-I", str(without_django.__file__)]
    ended = subprocess.run(
        program, input=json.dumps(order, default=str), capture_output=True, text=True, check=True
    )
    assert json.loads(ended.stdout) == {name: ["IntegrityError", []] for name in IN_SQL}


# --- Through Django ---------------------------------------------------------------------------


def test_the_database_refuses_through_django(stage: Stage, subtests: pytest.Subtests) -> None:
    for name, attack in THROUGH_DJANGO.items():
        with subtests.test(name):
            assert_refused(attack, stage)


# --- In the admin -----------------------------------------------------------------------------


def test_the_admin_changes_nothing(stage: Stage, client: Client, subtests: pytest.Subtests) -> None:
    client.force_login(stage.cast.dana)
    before = everything()
    for name, attack in IN_THE_ADMIN.items():
        with subtests.test(name):
            answers = attack(client, stage)
            for answer in answers if isinstance(answers, list) else [answers]:
                assert answer.status_code in (200, 302, 403)
            assert everything() == before


# --- What is allowed --------------------------------------------------------------------------


def test_a_transaction_rolled_back_halfway_leaves_no_transfer(stage: Stage) -> None:
    before = everything()
    with transaction.atomic():
        services.transfer_ownership(
            organization=stage.cast.acme, new_owner=stage.cast.bob, by=stage.cast.dana, reason="So."
        )
        transaction.set_rollback(True)
    assert everything() == before


def test_a_former_owner_can_be_deleted_and_the_history_stays(stage: Stage) -> None:
    team = OrganizationFactory.create()
    former, heir = team.owner, add_member(team)
    services.transfer_ownership(organization=team, new_owner=heir, by=stage.cast.dana, reason="So.")
    lines = UserEventLog.objects.filter(organization_id=team.pk).count()
    User.objects.get(pk=former.pk).delete()
    team.refresh_from_db()
    assert team.owner == heir
    assert team.ownership_transfers.get().from_owner_id == former.pk
    assert UserEventLog.objects.filter(organization_id=team.pk).count() == lines


def test_an_ordinary_member_can_be_deactivated_moved_and_deleted(stage: Stage) -> None:
    person = add_member(stage.beta)
    update(person, is_active=False)
    update(person, organization=stage.cast.acme, is_active=True)
    update(person, organization=None)
    rows(person).delete()
    assert not rows(person).exists()


def test_person_and_organization_may_be_written_in_either_order_in_one_transaction(
    stage: Stage,
) -> None:
    person = PersonFactory.create()
    with transaction.atomic():
        organization = Organization.objects.create(name="New", slug="new", owner=person)
        update(person, organization=organization)
    organization.refresh_from_db()
    assert organization.owner == person


def test_a_transfer_costs_as_many_statements_in_a_large_team_as_in_a_small_one(
    stage: Stage,
) -> None:
    costs = []
    for members in (1, 12):
        team = OrganizationFactory.create()
        heir, *_others = [add_member(team) for _ in range(members)]
        with CaptureQueriesContext(connection) as statements_made:
            services.transfer_ownership(
                organization=team, new_owner=heir, by=stage.cast.dana, reason="So."
            )
        costs.append(len(statements_made))
    assert costs[0] == costs[1]
