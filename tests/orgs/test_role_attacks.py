"""I8 and I9: nothing and nobody gives a role to whom it is not for, or twice.

Each attack goes around the services and leaves everything as it was, however it is led. Those in
SQL run a second time in a program without Django, which commits them. A new attack is one line.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import User, UserType
from orgs import services
from orgs.models import Role, RoleKind, UserRoleAssignment
from tests.cast import PersonFactory, add_member
from tests.orgs import without_django
from tests.orgs.attacks_in_python import load, rows, save, update, upsert
from tests.orgs.invariants import BROKEN
from tests.orgs.invariants import rows as found
from tests.orgs.role_attacks import IN_SQL, WATCHED, Stage, set_the_stage, statements
from tests.orgs.test_attacks import plain_address
from tests.orgs.test_ownership_at_once import Pause, meet
from tests.together import together


def look() -> list[list[tuple[Any, ...]]]:
    with connection.cursor() as cursor:
        return [cursor.execute(query) and cursor.fetchall() for query in WATCHED]


def is_refused(attack: Callable[[Stage], object], stage: Stage) -> bool:
    """Attack, check what a commit would, and undo what was not refused, for the next attack."""
    try:
        with transaction.atomic():
            attack(stage)
            connection.check_constraints()
            transaction.set_rollback(True)
    except IntegrityError:
        return True
    return False


def execute(attack: str, stage: Stage) -> None:
    with connection.cursor() as cursor:
        for statement in statements(attack, stage):
            cursor.execute(statement)


@pytest.mark.django_db
def test_the_database_refuses_in_sql(subtests: pytest.Subtests) -> None:
    stage = set_the_stage()
    before = look()
    for name, attack in IN_SQL.items():
        with subtests.test(name):
            assert is_refused(partial(execute, attack), stage)
            assert look() == before


@pytest.mark.process
@pytest.mark.django_db(transaction=True)
def test_the_database_refuses_a_program_without_django() -> None:
    stage = set_the_stage()
    driver, address = plain_address()
    order = {
        "driver": driver,
        "address": address,
        "attacks": {name: statements(attack, stage) for name, attack in IN_SQL.items()},
        "watched": WATCHED,
    }
    program = [sys.executable, "-I", str(without_django.__file__)]
    ended = subprocess.run(
        program, input=json.dumps(order), capture_output=True, text=True, check=True
    )
    assert json.loads(ended.stdout) == {name: ["IntegrityError", []] for name in IN_SQL}


# --- Through Django ---------------------------------------------------------------------------


def hold(person: User, role: Role, **fields: Any) -> UserRoleAssignment:
    known = {"kind": role.kind, "role_scope": role.scope}
    return UserRoleAssignment(user=person, role=role, **(known | fields))


def give(s: Stage, person: User, role: str, **fields: Any) -> UserRoleAssignment:
    """A row that no service would write. It is in Acme, unless `fields` say otherwise."""
    return hold(person, s.roles[role], **({"organization": s.cast.acme} | fields))


ANOTHER_KIND = {"kind": RoleKind.DEVELOPER, "organization": None}
REVIVED: dict[str, Any] = {"is_active": True, "revoked_at": None}
THROUGH_DJANGO: dict[str, Callable[[Stage], object]] = {
    "held twice: save": lambda s: give(s, s.cast.bob, "admin").save(),
    "held twice: bulk_create": lambda s: UserRoleAssignment.objects.bulk_create(
        [give(s, s.cast.bob, "member"), give(s, s.cast.bob, "member")]
    ),
    "held twice: update": lambda s: update(s.held["bobs_former"], **REVIVED),
    "held twice: bulk_update": lambda s: UserRoleAssignment.objects.bulk_update(
        [give(s, s.cast.bob, "admin", pk=s.held["bobs_own"].pk)], ["role"]
    ),
    "held twice: loaddata": lambda s: load(s.held["bobs_former"], **REVIVED),
    "kind: save": lambda s: give(s, s.cast.dana, "admin", **ANOTHER_KIND).save(),
    "kind: update": lambda s: update(s.held["bobs_admin"], **ANOTHER_KIND),
    "kind: update, F": lambda s: update(s.held["bobs_own"], role_id=F("role_id") + 1000),
    "kind: of the role": lambda s: save(s.roles["admin"], "kind", kind=RoleKind.DEVELOPER),
    "kind: of the role, upsert": lambda s: upsert(
        s.roles["support"], "kind", kind=RoleKind.ORGANIZATION
    ),
    "kind: of the role, loaddata": lambda s: load(s.roles["member"], kind=RoleKind.DEVELOPER),
    "ownership: save": lambda s: Role(key="Organization_Owner", name="Owner").save(),
    "ownership: update": lambda s: update(s.roles["own"], key="organization_owner"),
    "ownership: get_or_create": lambda s: Role.objects.get_or_create(
        key="ORGANIZATION_OWNER", organization=s.beta, defaults={"name": "Owner"}
    ),
    "ownership: loaddata": lambda s: load(s.roles["theirs"], key="organization_owner"),
    "outsider: save": lambda s: give(s, s.cast.charlie, "member").save(),
    "outsider: bulk_create": lambda s: UserRoleAssignment.objects.bulk_create(
        [give(s, s.cast.charlie, "member")]
    ),
    "outsider: ignore_conflicts": lambda s: UserRoleAssignment.objects.bulk_create(
        [give(s, s.cast.charlie, "member")], ignore_conflicts=True
    ),
    "outsider: update_or_create": lambda s: UserRoleAssignment.objects.update_or_create(
        pk=s.held["bobs_admin"].pk, defaults={"user": s.cast.charlie}
    ),
    "outsider: handed on": lambda s: s.cast.charlie.role_assignments.add(s.held["bobs_admin"]),
    "outsider: loaddata": lambda s: load(s.held["bobs_admin"], user=s.cast.charlie.pk),
    "outsider: revived": lambda s: save(s.held["cleos"], **REVIVED),
    "elsewhere: update": lambda s: update(s.held["bobs_admin"], organization=s.beta),
    "elsewhere: related manager": lambda s: s.beta.role_assignments.add(s.held["bobs_admin"]),
    "leaving: save": lambda s: save(s.cast.bob, "organization", organization=None),
    "leaving: update": lambda s: update(s.cast.bob, organization=None),
    "leaving: bulk_update": lambda s: User.objects.bulk_update(
        [User(pk=s.cast.bob.pk, organization=s.beta)], ["organization"]
    ),
    "leaving: related manager": lambda s: s.cast.acme.members.remove(s.cast.bob),
    "leaving: to another team": lambda s: s.beta.members.add(s.cast.bob),
    "leaving: loaddata": lambda s: load(s.cast.bob, organization=s.beta.pk),
    "leaving: made a developer": lambda s: update(
        s.cast.bob, organization=None, user_type=UserType.DEVELOPER
    ),
    "developers' role: save": lambda s: give(s, s.cast.bob, "engineer", organization=None).save(),
    "developers' role: made a member": lambda s: update(
        s.cast.dana, user_type=UserType.MEMBER, is_staff=False
    ),
    "own role: save": lambda s: give(s, s.cast.bob, "theirs").save(),
    "own role: called built-in": lambda s: give(
        s, s.cast.bob, "theirs", role_scope="built-in"
    ).save(),
    "own role: update": lambda s: update(s.held["bobs_admin"], role=s.roles["theirs"]),
    "own role: moved": lambda s: update(s.roles["own"], organization=s.beta),
    "own role: related manager": lambda s: s.beta.roles.add(s.roles["admin"]),
    "own role: loaddata": lambda s: load(s.roles["own"], organization=s.beta.pk),
    "own role: upsert": lambda s: upsert(s.roles["own"], "organization", organization=s.beta),
    "role: delete": lambda s: s.roles["admin"].delete(),
    "role: QuerySet.delete": lambda s: Role.objects.all().delete(),
    "role: _raw_delete": lambda s: rows(s.roles["own"])._raw_delete("default"),
    "role: made anew": lambda s: (
        rows(s.roles["own"])._raw_delete("default"),
        Role.objects.create(pk=s.roles["own"].pk, key="anew", name="Anew", organization=s.beta),
    ),
}


@pytest.mark.django_db
def test_the_database_refuses_through_django(subtests: pytest.Subtests) -> None:
    stage = set_the_stage()
    before = look()
    for name, attack in THROUGH_DJANGO.items():
        with subtests.test(name):
            assert is_refused(attack, stage)
            assert look() == before


# --- At once ----------------------------------------------------------------------------------


def make_developer() -> User:
    developer: User = PersonFactory.create(user_type=UserType.DEVELOPER)
    return developer


@transaction.atomic
def write(act: Callable[[], object], both_wrote: Pause) -> None:
    act()
    both_wrote()


def is_sound() -> bool:
    return not any(found(query) for query in BROKEN.values())


# What can become of a person or a role while the role is being given to the person.
WHILE_GIVEN: dict[str, Callable[[Stage, User, Role], object]] = {
    "the member leaves": lambda s, person, role: update(person, organization=None),
    "the member moves": lambda s, person, role: update(person, organization=s.beta),
    "the member is made a developer": lambda s, person, role: update(
        person, organization=None, user_type=UserType.DEVELOPER
    ),
    "the role changes its kind": lambda s, person, role: update(role, **ANOTHER_KIND),
    "the role is deleted": lambda s, person, role: rows(role)._raw_delete("default"),
    "the role moves": lambda s, person, role: update(role, organization=s.beta),
}


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("change", WHILE_GIVEN.values(), ids=WHILE_GIVEN.keys())
def test_a_role_is_not_given_while_what_it_rests_on_goes(
    change: Callable[[Stage, User, Role], object],
) -> None:
    stage = set_the_stage()
    person = add_member(stage.cast.acme)
    role = Role.objects.create(key="new", name="New", organization=stage.cast.acme)
    given = hold(person, role, organization=stage.cast.acme)
    both_wrote = meet()
    results = together(
        partial(write, given.save, both_wrote),
        partial(write, partial(change, stage, person, role), both_wrote),
    )
    assert is_sound()
    assert {type(each) for each in results} == {type(None), IntegrityError}


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_developers_role_is_not_given_while_they_cease_to_be_one() -> None:
    stage = set_the_stage()
    person, both_wrote = make_developer(), meet()
    given = hold(person, stage.roles["engineer"])
    results = together(
        partial(write, given.save, both_wrote),
        partial(write, partial(update, person, user_type=UserType.MEMBER), both_wrote),
    )
    assert is_sound()
    assert {type(each) for each in results} == {type(None), IntegrityError}


@pytest.mark.django_db(transaction=True)
def test_of_two_rows_written_at_once_one_is_refused() -> None:
    stage = set_the_stage()
    results = together(*[give(stage, stage.cast.bob, "member").save for _ in range(2)])
    assert {type(each) for each in results} == {type(None), IntegrityError}
    assert is_sound()


@pytest.mark.django_db(transaction=True)
def test_a_role_given_twice_at_once_is_given_once_and_the_other_is_told() -> None:
    stage = set_the_stage()
    for person, role, by in (
        (stage.cast.bob, "member", stage.cast.alice),
        (make_developer(), "engineer", stage.cast.dana),
    ):
        assign = partial(
            services.assign_role, user=person, role=stage.roles[role], by=by, now=timezone.now()
        )
        results = together(assign, assign)
        assert {type(each) for each in results} == {UserRoleAssignment, services.AlreadyHeld}


@pytest.mark.django_db(transaction=True)
def test_of_giving_a_role_and_leaving_at_once_one_is_refused() -> None:
    stage = set_the_stage()
    for _ in range(4):
        person = add_member(stage.cast.acme)
        assign = partial(
            services.assign_role,
            user=person,
            role=stage.roles["member"],
            by=stage.cast.alice,
            now=timezone.now(),
        )
        results = together(assign, partial(update, person, organization=None))
        assert {type(each) for each in results} in (
            {UserRoleAssignment, IntegrityError},
            {services.NotAMember, int},
        )
        assert is_sound()
        person.role_assignments.all().delete()
        update(person, organization=None)


# --- What is allowed --------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_member_whose_roles_are_revoked_may_leave_and_hold_others_elsewhere() -> None:
    stage = set_the_stage()
    stage.cast.bob.role_assignments.active().update(is_active=False, revoked_at=timezone.now())
    update(stage.cast.bob, organization=stage.beta)
    for role in ("admin", "theirs"):
        give(stage, stage.cast.bob, role, organization=stage.beta).save()
    connection.check_constraints()
    assert stage.cast.bob.role_assignments.active().count() == 2


@pytest.mark.django_db
def test_a_role_that_nobody_held_may_move_and_be_deleted() -> None:
    stage = set_the_stage()
    update(stage.roles["theirs"], organization=stage.cast.acme)
    stage.roles["theirs"].refresh_from_db()
    give(stage, stage.cast.bob, "theirs").save()
    connection.check_constraints()
    stage.roles["engineer"].delete()
    assert not rows(stage.roles["engineer"]).exists()


@pytest.mark.django_db
def test_the_same_role_is_held_by_many_and_in_many_organizations() -> None:
    stage = set_the_stage()
    give(stage, stage.cast.alice, "admin").save()
    give(stage, stage.beta.owner, "admin", organization=stage.beta).save()
    connection.check_constraints()
    assert stage.roles["admin"].assignments.active().count() == 3
