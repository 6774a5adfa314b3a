"""Each drift of people, organizations and their log is found, also one the database refuses.

What protects the rows is taken off inside a transaction, and is back with its rollback, schema
and all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from io import StringIO
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from djstripe.models import Customer

from accounts import services as accounts
from accounts.encryption import encrypt
from accounts.events import Event
from accounts.models import User, UserEventLog, UserType
from orgs import services
from orgs.guards import installation
from orgs.models import (
    Organization,
    OwnershipTransfer,
    Role,
    RoleKind,
    SoftDeletion,
    UserRoleAssignment,
)
from orgs.services.erasure import COME_BACK_WITHIN
from tests.cast import Cast, OrganizationFactory, add_member, make_cast
from tests.kept import put_back
from tests.second_factor import set_up_second_factor

pytestmark = pytest.mark.django_db

ALL_IS_WELL: tuple[int, dict[str, list[str]]] = (0, {})
NOBODY = 10**9
CHECKS = (
    ("accounts_user", "accounts_user_staff_are_developers"),
    ("accounts_user", "accounts_user_developers_have_no_organization"),
    ("accounts_user", "accounts_user_erased_are_deleted"),
    ("accounts_user", "accounts_user_erased_are_nobody"),
    ("orgs_role", "orgs_role_ownership_is_none"),
    ("orgs_role", "orgs_role_developers_roles_are_built_in"),
    ("orgs_userroleassignment", "orgs_userroleassignment_kinds_agree"),
    ("orgs_userroleassignment", "orgs_userroleassignment_ends_once"),
    ("orgs_userroleassignment", "orgs_userroleassignment_within_scope"),
)


def check() -> tuple[int, dict[str, list[str]]]:
    """Return the command's exit status, and examples by the id of what is broken."""
    out, status = StringIO(), 0
    try:
        call_command("check_invariants", json=True, stdout=out)
    except SystemExit as end:
        status = int(str(end.code))
    findings = json.loads(out.getvalue())
    return status, {each["id"]: each["examples"] for each in findings if each["count"]}


def check_after(plant: Callable[[], object]) -> tuple[int, dict[str, list[str]]]:
    """Plant with everything off, put the guards back, check, and undo it all."""
    with unprotected():
        plant()
        installation.install(connection)
        return check()


@contextmanager
def unprotected() -> Iterator[None]:
    """Take off the guards, foreign keys and checks, and roll back in the end.

    SQLite looks at every foreign key at commit, as Django declares them: none comes in the way
    of what is never committed.
    """
    with transaction.atomic():
        if connection.vendor == "sqlite":
            execute("PRAGMA ignore_check_constraints = ON")
        else:
            # A table is not altered while checks of its rows are outstanding.
            execute("SET CONSTRAINTS ALL IMMEDIATE")
            execute("SET LOCAL session_replication_role = replica")
            for table, name in CHECKS:
                execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        installation.drop(connection)
        try:
            yield
        finally:
            transaction.set_rollback(True)
    if connection.vendor == "sqlite":
        execute("PRAGMA ignore_check_constraints = OFF")


def allow_null(table: str, column: str) -> None:
    if connection.vendor == "sqlite":
        _rewrite(table, f'"{column}" bigint NOT NULL', f'"{column}" bigint')
    else:
        execute(f"ALTER TABLE {table} ALTER {column} DROP NOT NULL")


def allow_repeated(table: str, column: str) -> None:
    if connection.vendor == "sqlite":
        # Those that SQLite made of UNIQUE have no words of their own.
        _rewrite(
            table, " UNIQUE", "", "DELETE FROM sqlite_master WHERE sql IS NULL AND tbl_name=%s"
        )
        return
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, table)
    for name, constraint in constraints.items():
        if constraint["unique"] and constraint["columns"] == [column]:
            execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')


def _rewrite(table: str, words: str, instead: str, *also: str) -> None:
    """Change a table's definition where SQLite, which cannot alter this, keeps it."""
    execute("PRAGMA writable_schema = ON")
    change = "UPDATE sqlite_master SET sql = replace(sql, %s, %s) WHERE type='table' AND name=%s"
    execute(change, words, instead, table)
    for sql in also:
        execute(sql, table)
    # A new version has it read again.
    (version,) = execute("PRAGMA schema_version")
    execute(f"PRAGMA schema_version = {version + 1}")
    execute("PRAGMA writable_schema = OFF")


def execute(sql: str, *params: Any) -> Any:
    """Return the first row that the statement gives, if it gives any."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchone() if cursor.description else None


def remove(rows: Any) -> None:
    """Delete what Django itself would not."""
    rows._raw_delete(rows.db)


@pytest.fixture
def handed_on(db: None) -> Cast:
    """Acme was Alice's and is Bob's; others hold roles as they may."""
    return put_back(make_handed_on)


def make_handed_on() -> Cast:
    cast = make_cast()
    hold_as_they_may(cast)
    services.transfer_ownership(
        organization=cast.acme, new_owner=cast.bob, by=cast.dana, reason="Alice moves on."
    )
    assert check() == ALL_IS_WELL
    return cast


def bob(cast: Cast) -> Any:
    return User.objects.filter(pk=cast.bob.pk)


def acme(cast: Cast) -> Any:
    return Organization.objects.filter(pk=cast.acme.pk)


def lines(event: str) -> Any:
    return UserEventLog.objects.filter(event=event)


def link(organization: Organization, customer: str) -> None:
    Customer.objects.get_or_create(id=customer)
    Organization.objects.filter(pk=organization.pk).update(stripe_customer=customer)
    accounts.record_event(
        Event.CUSTOMER_LINKED, organization_id=organization.pk, data={"stripe_customer": customer}
    )


def leave_without_owner(cast: Cast) -> None:
    allow_null("orgs_organization", "owner_id")
    acme(cast).update(owner=None)


def seize(cast: Cast) -> None:
    other = OrganizationFactory.create()
    Organization.objects.filter(pk=other.pk).update(owner=add_member(other))


def falsify_the_giver(cast: Cast) -> None:
    OwnershipTransfer.objects.update(from_owner=cast.charlie)
    lines("ownership_given").update(user=cast.charlie)


def share_a_customer(cast: Cast) -> None:
    allow_repeated("orgs_organization", "stripe_customer_id")
    for organization in (cast.acme, OrganizationFactory.create()):
        link(organization, "cus_shared")


def lose_a_customer(cast: Cast) -> None:
    link(cast.acme, "cus_lost")
    remove(Customer.objects.all())


def share_an_address(cast: Cast) -> None:
    execute("DROP INDEX accounts_user_email_is_one_person")
    bob(cast).update(email="Alice@Example.com")


def found_again(cast: Cast) -> None:
    accounts.record_event(Event.ORGANIZATION_FOUNDED, user=cast.bob, organization_id=cast.acme.pk)


def develop(cast: Cast) -> None:
    bob(cast).update(user_type=UserType.DEVELOPER)


def give(person: User, key: str, organization: Organization | None, **fields: Any) -> Any:
    """Write that a person holds this role, and return the row. `fields` are what it says else."""
    role = Role.objects.get(key=key)
    known = {"role": role, "kind": role.kind, "role_scope": role.scope}
    held = {"user": person, "organization": organization}
    given = UserRoleAssignment.objects.create(**(known | held | fields))
    return UserRoleAssignment.objects.filter(pk=given.pk)


def hold_as_they_may(cast: Cast) -> None:
    """The same role by two, an organization's own, a developer's, and revoked ones."""
    Role.objects.create(key="acmes", name="Acme's", organization=cast.acme)
    cleo, cyril = add_member(cast.acme), add_member(cast.acme)
    give(cleo, "admin", cast.acme)
    give(cyril, "admin", cast.acme)
    give(cyril, "acmes", cast.acme)
    give(cast.dana, "support", None)
    for person in (cleo, cast.charlie, cast.charlie):
        give(person, "admin", cast.acme, is_active=False, revoked_at=timezone.now())


def give_twice(cast: Cast) -> None:
    execute("DROP INDEX orgs_userroleassignment_once")
    for _ in range(2):
        give(cast.alice, "admin", cast.acme)


def give_anothers(cast: Cast, **fields: Any) -> None:
    Role.objects.create(key="theirs", name="Theirs", organization=OrganizationFactory.create())
    give(cast.alice, "theirs", cast.acme, **fields)


def hold_when_deleted(cast: Cast) -> None:
    services.soft_delete(user=cast.alice, by=cast.dana, reason="Gone.")
    give(cast.alice, "admin", cast.acme)


def end_by_what_was_undone(cast: Cast) -> None:
    services.soft_delete(user=cast.alice, by=cast.dana, reason="Gone.")
    deletion = services.restore(user=cast.alice, by=cast.dana)
    give(cast.alice, "admin", cast.acme, is_active=False, disabled_by=deletion)


def erase(cast: Cast, **left: Any) -> User:
    """Erase Alice, but for these columns."""
    services.soft_delete(user=cast.alice, by=cast.dana, reason="Gone.")
    now = timezone.now()
    services.request_erasure(user=cast.alice, by=cast.dana, reason="Asked for.", now=now)
    services.erase_deleted_people(now=now + COME_BACK_WITHIN)
    User.objects.filter(pk=cast.alice.pk).update(**left)
    return cast.alice


def forget_to_erase(cast: Cast) -> None:
    services.soft_delete(user=cast.alice, by=cast.dana, reason="Gone.")
    User.objects.filter(pk=cast.alice.pk).update(erase_after=timezone.now() - timedelta(days=3))


def leave_readable(cast: Cast, secret: str) -> None:
    Authenticator.objects.create(user=cast.bob, type="totp", data={"secret": secret})


DRIFTS: dict[str, tuple[set[str], Callable[[Cast], object]]] = {
    "a seed that can be read": ({"K1"}, lambda c: leave_readable(c, "JBSWY3DPEHPK3PXP")),
    "a seed of a lost key": ({"K1"}, lambda c: leave_readable(c, f"{encrypt('x')[:-4]}AAA=")),
    "no owner": ({"I1"}, leave_without_owner),
    "an owner who does not exist": ({"I1"}, lambda c: remove(bob(c))),
    "an owner of nothing": ({"I2"}, lambda c: bob(c).update(organization=None)),
    "an owner of elsewhere": (
        {"I2"},
        lambda c: bob(c).update(organization=OrganizationFactory.create()),
    ),
    "an inactive owner": ({"I3"}, lambda c: bob(c).update(is_active=False)),
    "a deleted owner": (
        {"D1", "I3"},
        lambda c: bob(c).update(deleted_at=timezone.now(), is_active=False),
    ),
    "a developer as owner": ({"I3"}, develop),
    "an owner without a transfer": ({"I4"}, seize),
    "a transfer from somebody else": ({"I4"}, falsify_the_giver),
    "a transfer changed": (
        {"I5"},
        lambda c: OwnershipTransfer.objects.update(performed_by=c.charlie),
    ),
    "a line of it changed": ({"I5"}, lambda c: lines("ownership_given").update(user=c.dana)),
    "a line that names no transfer": (
        {"I5", "L2"},
        lambda c: lines("ownership_received").update(data={"transfer": "none"}),
    ),
    "a transfer removed": ({"I4", "I5"}, lambda c: remove(OwnershipTransfer.objects.all())),
    "a shared customer": ({"I6"}, share_a_customer),
    "a customer that is not there": ({"I6"}, lose_a_customer),
    "a member of what is not there": (
        {"I6"},
        lambda c: User.objects.filter(pk=c.alice.pk).update(organization=NOBODY),
    ),
    "a shared address": ({"I7"}, share_an_address),
    "a role held twice": ({"I8"}, give_twice),
    "a role held as another kind": (
        {"I8"},
        lambda c: give(c.alice, "engineer", c.acme, kind=RoleKind.ORGANIZATION),
    ),
    "a role held though revoked": (
        {"I8"},
        lambda c: give(c.alice, "admin", c.acme, revoked_at=timezone.now()),
    ),
    "a role that is not there": (
        {"I8", "I9"},
        lambda c: give(c.alice, "admin", c.acme).update(role=NOBODY),
    ),
    "a developer's role somewhere": ({"I8"}, lambda c: give(c.dana, "engineer", c.acme)),
    "an organization's role for developers": (
        {"I8"},
        lambda c: Role.objects.create(key="x", name="X", kind="developer", organization=c.acme),
    ),
    "ownership as a role": (
        {"I8"},
        lambda c: Role.objects.create(key="Organization_Owner", name="Owner"),
    ),
    "a role of an outsider": ({"I9"}, lambda c: give(c.charlie, "admin", c.acme)),
    "a role of a developer": ({"I9"}, lambda c: give(c.dana, "admin", c.acme)),
    "a role of nobody": ({"I9"}, lambda c: give(c.alice, "admin", c.acme).update(user=NOBODY)),
    "a role elsewhere": (
        {"I9"},
        lambda c: give(c.alice, "admin", OrganizationFactory.create()),
    ),
    "a developer's role of a member": ({"I9"}, lambda c: give(c.alice, "engineer", None)),
    "another's own role": ({"I9"}, give_anothers),
    "another's own role, called built-in": (
        {"I9"},
        lambda c: give_anothers(c, role_scope="built-in"),
    ),
    "another's own role, once": (
        {"I9"},
        lambda c: give_anothers(c, is_active=False, revoked_at=timezone.now()),
    ),
    "deleted without a deletion": (
        {"D1"},
        lambda c: User.objects.filter(pk=c.alice.pk).update(
            deleted_at=timezone.now(), is_active=False
        ),
    ),
    "a deletion of somebody present": (
        {"D1"},
        lambda c: SoftDeletion.objects.create(user=c.charlie, reason="Gone.", was_active=True),
    ),
    "a role of somebody deleted": ({"D1"}, hold_when_deleted),
    "a role ended by what was undone": ({"D1"}, end_by_what_was_undone),
    "erased, but for the name": ({"D2"}, lambda c: erase(c, name="Alice Adams")),
    "erased, but for the address": ({"D2"}, lambda c: erase(c, email="alice@example.com")),
    "erased, but for the password": ({"D2"}, lambda c: erase(c, password="argon2$…")),
    "erased, but for a record of the address": (
        {"D2"},
        lambda c: EmailAddress.objects.create(user=erase(c), email="alice@example.com"),
    ),
    "erased, but for the second factor": ({"D2"}, lambda c: set_up_second_factor(erase(c))),
    "erased, but for a group": (
        {"D2"},
        lambda c: erase(c).groups.add(Group.objects.create(name="Support")),
    ),
    "erased, but not deleted": (
        {"D2"},
        lambda c: User.objects.filter(pk=c.charlie.pk).update(erase_after=timezone.now()),
    ),
    "not erased in time": ({"D3"}, forget_to_erase),
    "the former owner back": ({"I10"}, lambda c: acme(c).update(owner=c.alice)),
    "a founding not told": ({"L1"}, lambda c: remove(lines("organization_founded"))),
    "a founding told twice": ({"L1"}, found_again),
    "a transfer half told": ({"L2"}, lambda c: remove(lines("ownership_given"))),
    "the other half": ({"L2"}, lambda c: remove(lines("ownership_received"))),
}


@pytest.mark.parametrize(("ids", "plant"), DRIFTS.values(), ids=DRIFTS.keys())
def test_a_drift_is_found_under_its_id(
    handed_on: Cast, ids: set[str], plant: Callable[[Cast], object]
) -> None:
    status, found = check_after(partial(plant, handed_on))
    assert (status, set(found)) == (1, ids)


def test_a_missing_guard_is_found(handed_on: Cast) -> None:
    name = "orgs_ownershiptransfer_makes_owner"
    on_table = "" if connection.vendor == "sqlite" else " ON orgs_ownershiptransfer"
    with transaction.atomic():
        # A table is not altered while checks of its rows are outstanding.
        connection.check_constraints()
        execute(f"DROP TRIGGER {name}{on_table}")
        assert check() == (1, {"G1": [f"guard {name}"]})
        transaction.set_rollback(True)
    assert check() == ALL_IS_WELL


def test_what_was_taken_off_is_back(handed_on: Cast) -> None:
    for plant in (leave_without_owner, share_a_customer, share_an_address, develop, give_twice):
        check_after(partial(plant, handed_on))
    link(handed_on.acme, "cus_1")
    other = OrganizationFactory.create(owner__email="other@example.com")
    for refused in (
        lambda: acme(handed_on).update(owner=None),
        lambda: acme(handed_on).update(owner=handed_on.alice),
        lambda: link(other, "cus_1"),
        lambda: bob(handed_on).update(email="Other@example.com"),
        lambda: bob(handed_on).update(user_type=UserType.DEVELOPER),
        lambda: bob(handed_on).update(organization=NOBODY),
        lambda: [give(handed_on.alice, "admin", handed_on.acme) for _ in range(2)],
        lambda: give(handed_on.charlie, "admin", handed_on.acme),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            refused()
            connection.check_constraints()
