"""The attacks in SQL: one line each, run through Django and without it (`test_attacks`).

An attack is a transaction: its statements, separated by semicolons, in the words of the database.
Names in braces are the ids of a `Stage`.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection, transaction
from django.utils import timezone

from accounts.models import User
from orgs import services
from orgs.models import Organization, OwnershipTransfer
from tests.cast import Cast, OrganizationFactory, PersonFactory, add_member, make_cast


@dataclass(frozen=True)
class Stage:
    """Acme, whose owner Alice gave it to Bob and got it back; and Beta, to move people to."""

    cast: Cast
    beta: Organization
    inactive: User
    unlogged: Organization
    unlogged_member: User
    given: OwnershipTransfer
    returned: OwnershipTransfer

    @property
    def ids(self) -> dict[str, int]:
        cast = self.cast
        people = {"alice": cast.alice, "bob": cast.bob, "charlie": cast.charlie, "dana": cast.dana}
        others = {"acme": cast.acme, "beta": self.beta, "inactive": self.inactive}
        others |= {"unlogged": self.unlogged, "unlogged_member": self.unlogged_member}
        transfers = {"given": self.given, "returned": self.returned}
        rows = people | others | transfers | {"beta_owner": self.beta.owner}
        return {name: row.pk for name, row in rows.items()}


def set_the_stage() -> Stage:
    cast = make_cast()
    inactive = add_member(cast.acme)
    User.objects.filter(pk=inactive.pk).update(is_active=False)
    unlogged, member = found_without_a_line()
    given, returned = hand_on(cast, cast.bob), hand_on(cast, cast.alice)
    beta = OrganizationFactory.create()
    return Stage(cast, beta, inactive, unlogged, member, given, returned)


@transaction.atomic
def found_without_a_line() -> tuple[Organization, User]:
    """Found as a script might that knows no services. Returns the organization and a member."""
    owner, member = PersonFactory.create_batch(2)
    organization = Organization.objects.create(name="Unlogged", slug="unlogged", owner=owner)
    User.objects.filter(pk__in=[owner.pk, member.pk]).update(organization=organization)
    return organization, member


def hand_on(cast: Cast, new_owner: User) -> OwnershipTransfer:
    transfer = services.transfer_ownership(
        organization=cast.acme, new_owner=new_owner, by=cast.dana, reason="Agreed."
    )
    cast.acme.refresh_from_db()
    return transfer


def transfer(organization: str, giver: str, taker: str, key: str = "", verb: str = "INSERT") -> str:
    """A record of a transfer between these, in SQL: they are names of the stage, or NULL."""
    values = ["{dana}", "'Taken.'", f"'{timezone.now():%Y-%m-%d %H:%M:%S}+00:00'"]
    values += [f"{{{each}}}" if each != "NULL" else each for each in (organization, giver, taker)]
    columns = "performed_by_id, reason, created_at, organization_id, from_owner_id, to_owner_id"
    if key:
        columns, values = f"{columns}, id", [*values, f"{{{key}}}"]
    return f"{verb} INTO orgs_ownershiptransfer ({columns}) VALUES ({', '.join(values)})"


def organization(key: str, owner: str, slug: str = "anew", verb: str = "INSERT") -> str:
    """A row of an organization with this id and owner: names of the stage, or SQL."""
    return (
        f"{verb} INTO orgs_organization (id, owner_id, name, slug, billing_email, created_at) "
        f"VALUES ({key}, {owner}, 'Acme', '{slug}', '', '2026-01-01 00:00:00+00:00')"
    )


LAST_LINE = "(SELECT max(id) FROM accounts_usereventlog)"
ALL_LINES = "(SELECT count(*) FROM accounts_usereventlog)"


def line(key: str, verb: str = "INSERT") -> str:
    return (
        f"{verb} INTO accounts_usereventlog (id, event, data, device, request_id, created_at) "
        f"VALUES ({key}, 'nothing_happened', '{{{{}}}}', '', '', '2026-01-01 00:00:00+00:00')"
    )


def export(lines: str, verb: str = "INSERT", key: str = "") -> str:
    """An export of the whole log from 0 on, which counts so many lines."""
    column, value = ("id, ", f"{key}, ") if key else ("", "")
    return (
        f"{verb} INTO accounts_logexport ({column}first_id, last_id, lines, sha256, created_at) "
        f"VALUES ({value}0, {LAST_LINE}, {lines}, '', '2026-01-01 00:00:00+00:00')"
    )


def exchange(key: str) -> str:
    """Exchange the ids of the two organizations, and have their owners follow the id."""
    change = f"UPDATE orgs_organization SET {key}"
    follow = "UPDATE accounts_user SET organization_id"
    return (
        f"{change} = -id WHERE id = {{acme}}; {change} = {{acme}} WHERE id = {{beta}}; "
        f"{follow} = {{acme}} WHERE id = {{beta_owner}}; "
        f"{change} = {{beta}} WHERE id = -{{acme}}; {follow} = {{beta}} WHERE id = {{alice}}"
    )


SET_OWNER = "UPDATE orgs_organization SET owner_id"
DETACH = "UPDATE accounts_user SET organization_id = NULL WHERE organization_id = {acme}"
ATTACH = "UPDATE accounts_user SET organization_id = {acme} WHERE id IN ({alice}, {bob})"
REMOVE = "DELETE FROM orgs_organization WHERE id = {acme}"
ANEW = f"{DETACH}; {REMOVE}; {organization('{acme}', '{bob}')}; {ATTACH}"
UNLOGGED_ANEW = "DELETE FROM orgs_organization WHERE id = {unlogged}; " + organization(
    "{unlogged}", "{unlogged_member}", "unlogged"
)
UNLOGGED_GONE = "UPDATE accounts_user SET organization_id = NULL WHERE organization_id = {unlogged}"
UNLOGGED_BACK = "UPDATE accounts_user SET organization_id = {unlogged} WHERE id = {unlogged_member}"
ALICE = "UPDATE accounts_user SET"

ON_BOTH = {
    "made anew, founded without a line": f"{UNLOGGED_GONE}; {UNLOGGED_ANEW}; {UNLOGGED_BACK}",
    "no owner": f"{SET_OWNER} = NULL WHERE id = {{acme}}",
    "an owner who does not exist": f"{SET_OWNER} = 1000000000 WHERE id = {{acme}}",
    "a member as owner": f"{SET_OWNER} = {{bob}} WHERE id = {{acme}}",
    "an outsider as owner": f"{SET_OWNER} = {{charlie}} WHERE id = {{acme}}",
    "a developer as owner": f"{SET_OWNER} = {{dana}} WHERE id = {{acme}}",
    "an inactive member as owner": f"{SET_OWNER} = {{inactive}} WHERE id = {{acme}}",
    "another team's owner": f"{SET_OWNER} = {{beta_owner}} WHERE id = {{acme}}",
    "owners swapped in one statement": f"{SET_OWNER} = CASE id WHEN {{acme}} THEN {{beta_owner}} "
    "ELSE {alice} END WHERE id IN ({acme}, {beta})",
    "owners swapped with their homes": f"{SET_OWNER} = CASE id WHEN {{acme}} THEN {{beta_owner}} "
    "ELSE {alice} END WHERE id IN ({acme}, {beta}); UPDATE accounts_user SET organization_id = "
    "CASE id WHEN {alice} THEN {beta} ELSE {acme} END WHERE id IN ({alice}, {beta_owner})",
    "ids exchanged": exchange("id"),
    "a new id": f"{DETACH}; UPDATE orgs_organization SET id = 99 WHERE id = {{acme}}; "
    "UPDATE accounts_user SET organization_id = 99 WHERE id = {alice}",
    "ON CONFLICT DO UPDATE": organization("{acme}", "{bob}")
    + " ON CONFLICT (id) DO UPDATE SET owner_id = excluded.owner_id",
    "UPDATE FROM": f"{SET_OWNER} = u.id FROM accounts_user u "
    "WHERE orgs_organization.id = {acme} AND u.id = {bob}",
    "the organization deleted": REMOVE,
    "deleted and made anew": f"{REMOVE}; {organization('{acme}', '{bob}')}",
    "detached, deleted, made anew, attached": ANEW,
    "deleted and made anew, without a line of its founding": UNLOGGED_ANEW,
    "born without an owner": organization("77", "NULL"),
    "born with an outsider as owner": organization("77", "{charlie}"),
    "the owner deactivated": f"{ALICE} is_active = FALSE WHERE id = {{alice}}",
    "the owner soft-deleted": f"{ALICE} deleted_at = '2026-01-01 00:00:00+00:00', "
    "is_active = FALSE WHERE id = {alice}",
    "the owner moved elsewhere": f"{ALICE} organization_id = {{beta}} WHERE id = {{alice}}",
    "the owner moved nowhere": f"{ALICE} organization_id = NULL WHERE id = {{alice}}",
    "the owner made a developer": f"{ALICE} user_type = 'developer', organization_id = NULL "
    "WHERE id = {alice}",
    "the owner of another type": f"{ALICE} user_type = 'guest' WHERE id = {{alice}}",
    "the owner with another id": f"{ALICE} id = 99 WHERE id = {{alice}}",
    "the owner deleted": "DELETE FROM account_emailaddress WHERE user_id = {alice}; "
    "UPDATE orgs_invitation SET invited_by_id = NULL; DELETE FROM accounts_user WHERE id = {alice}",
    "everybody detached": DETACH,
    "a transfer from somebody else": transfer("acme", "bob", "alice"),
    "a transfer from nobody": transfer("acme", "NULL", "bob"),
    "a transfer of another organization": transfer("beta", "alice", "bob"),
    "a transfer of no organization": transfer("NULL", "alice", "bob"),
    "a transfer to an outsider": transfer("acme", "alice", "charlie"),
    "a transfer to a developer": transfer("acme", "alice", "dana"),
    "a transfer to an inactive member": transfer("acme", "alice", "inactive"),
    "a transfer to another team's owner": transfer("acme", "alice", "beta_owner"),
    "a transfer to the owner": transfer("acme", "alice", "alice"),
    "a transfer to nobody": transfer("acme", "alice", "NULL"),
    "a transfer that was undone, once more": transfer("acme", "alice", "bob", "given"),
    "the last transfer, once more": transfer("acme", "bob", "alice", "returned"),
    "the last transfer, as a new one": "INSERT INTO orgs_ownershiptransfer (organization_id, "
    "from_owner_id, to_owner_id, performed_by_id, reason, created_at) SELECT organization_id, "
    "from_owner_id, to_owner_id, performed_by_id, reason, created_at "
    "FROM orgs_ownershiptransfer WHERE id = {returned}",
    "a transfer slipped in before the last": transfer("acme", "alice", "bob")
    .replace("organization_id,", "id, organization_id,")
    .replace("{acme}", "-5, {acme}"),
    "two transfers of which one is false": f"{transfer('acme', 'alice', 'bob')}; "
    + transfer("acme", "alice", "bob"),
    "a transfer and one step more": f"{transfer('acme', 'alice', 'bob')}; "
    f"{SET_OWNER} = {{alice}} WHERE id = {{acme}}",
    "a transfer, and the new owner leaves": f"{transfer('acme', 'alice', 'bob')}; "
    f"{ALICE} organization_id = NULL WHERE id = {{bob}}",
    "a transfer changed": "UPDATE orgs_ownershiptransfer SET to_owner_id = {bob}, "
    "from_owner_id = {alice} WHERE id = {returned}",
    "a transfer changed, then obeyed": "UPDATE orgs_ownershiptransfer SET to_owner_id = {bob}, "
    f"from_owner_id = {{alice}} WHERE id = {{returned}}; {SET_OWNER} = {{bob}} WHERE id = {{acme}}",
    "a transfer's reason changed": "UPDATE orgs_ownershiptransfer SET reason = 'Another.'",
    "the last transfer deleted": "DELETE FROM orgs_ownershiptransfer WHERE id = {returned}",
    "all transfers deleted": "DELETE FROM orgs_ownershiptransfer",
    "a line of the log changed": "UPDATE accounts_usereventlog SET event = 'nothing_happened'",
    "a line of the log, same id": line(LAST_LINE),
    "a line of the log, ON CONFLICT": line(LAST_LINE)
    + " ON CONFLICT (id) DO UPDATE SET event = excluded.event",
    "the log deleted": "DELETE FROM accounts_usereventlog",
    "a line deleted": f"DELETE FROM accounts_usereventlog WHERE id = {LAST_LINE}",
    "exported, and the foundings deleted": f"{export(ALL_LINES)}; "
    "DELETE FROM accounts_usereventlog WHERE event = 'organization_founded'",
    "exported, and all deleted": f"{export(ALL_LINES)}; DELETE FROM accounts_usereventlog",
    "exported, and a line added to that": f"{export(ALL_LINES)}; {line('0')}",
    "an export that leaves a line out": export(f"{ALL_LINES} - 1"),
    "an export of a line that is not there": export(f"{ALL_LINES} + 1"),
    "an export of nothing": export("0"),
    "an export widened": f"{export(ALL_LINES)}; UPDATE accounts_logexport SET last_id = 1000000",
    "an export deleted": f"{export(ALL_LINES)}; DELETE FROM accounts_logexport",
}

REPLACE = "INSERT OR REPLACE"
ON_SQLITE = {
    "replaced by its slug, founded without a line": f"{UNLOGGED_GONE}; "
    + organization("777", "{unlogged_member}", "unlogged", REPLACE)
    + "; UPDATE accounts_user SET organization_id = 777 WHERE id = {unlogged_member}",
    "displaced by its slug, founded without a line": f"{UNLOGGED_GONE}; UPDATE OR REPLACE "
    "orgs_organization SET slug = 'unlogged' WHERE id = {beta}",
    "organization replaced": organization("{acme}", "{bob}", "acme", REPLACE),
    "organization replaced, without a line of its founding": organization(
        "{unlogged}", "{unlogged_member}", "unlogged", REPLACE
    ),
    "organization replaced, found by its slug": organization("77", "{bob}", "acme", REPLACE),
    "organization replaced, id as text": organization("'{acme}'", "{bob}", "acme", REPLACE),
    "organization replaced, found by rowid": organization(
        "{acme}", "{bob}", "acme", REPLACE
    ).replace("(id,", "(rowid,"),
    "organization replaced by an update": "UPDATE OR REPLACE orgs_organization SET slug = 'acme' "
    "WHERE id = {beta}",
    "owner, by UPDATE OR IGNORE": f"{SET_OWNER} = {{bob}} WHERE id = {{acme}}".replace(
        "UPDATE", "UPDATE OR IGNORE", 1
    ),
    **{
        f"ids exchanged, by the name {name}": exchange(name)
        for name in ("rowid", "_rowid_", "oid", '"ROWID"')
    },
    "owner replaced": "INSERT OR REPLACE INTO accounts_user (email, password, name, user_type, "
    "is_active, is_staff, is_superuser, created_at) VALUES ('alice@example.com', '', '', "
    "'member', TRUE, FALSE, FALSE, '2026-01-01 00:00:00+00:00')",
    "a transfer to nobody, OR IGNORE": transfer("acme", "alice", "NULL", "", "INSERT OR IGNORE"),
    "a transfer from somebody else, OR IGNORE": transfer(
        "acme", "bob", "alice", "", "INSERT OR IGNORE"
    ),
    "a transfer replaced": transfer("acme", "alice", "bob", "given", REPLACE),
    "the last transfer replaced": transfer("acme", "alice", "bob", "returned", REPLACE),
    "a transfer replaced by an update": "UPDATE OR REPLACE orgs_ownershiptransfer "
    "SET id = {returned} WHERE id = {given}",
    "a line of the log replaced": line(LAST_LINE, REPLACE),
    "an export replaced": f"{export(ALL_LINES, key='1')}; {export(ALL_LINES, REPLACE, '1')}",
}

FORGED = "(id, organization_id, from_owner_id, to_owner_id) AS VALUES (1, {acme}, {alice}, {bob})"
ON_POSTGRESQL = {
    "transfers truncated": "TRUNCATE orgs_ownershiptransfer",
    "the log truncated": "TRUNCATE accounts_usereventlog",
    "exports truncated": f"{export(ALL_LINES)}; TRUNCATE accounts_logexport",
    "other exports": "CREATE TEMP TABLE accounts_logexport (first_id, last_id) "
    "AS VALUES (0, 1000000); DELETE FROM accounts_usereventlog",
    "another log to count": "CREATE TEMP TABLE accounts_usereventlog (id) AS VALUES (0); "
    + export("1").replace(LAST_LINE, "1000000"),
    "organizations truncated": "TRUNCATE orgs_organization CASCADE",
    "people truncated": "TRUNCATE accounts_user CASCADE",
    "MERGE": "MERGE INTO orgs_organization o USING accounts_user u ON o.id = {acme} "
    "AND u.id = {bob} WHEN MATCHED THEN UPDATE SET owner_id = u.id",
    "transfer and change in one statement": f"WITH t AS ({transfer('acme', 'alice', 'bob')} "
    f"RETURNING id) {SET_OWNER} = {{bob}} WHERE id = {{acme}}",
    # Tables of the same name, for the guards to look into instead.
    "other transfers": f"CREATE TEMP TABLE orgs_ownershiptransfer {FORGED}; "
    f"{SET_OWNER} = {{bob}} WHERE id = {{acme}}",
    "other transfers, in a schema": "CREATE SCHEMA forged; "
    f"CREATE TABLE forged.orgs_ownershiptransfer {FORGED}; "
    f"SET LOCAL search_path = forged, public; {SET_OWNER} = {{bob}} WHERE id = {{acme}}",
    "other organizations": "CREATE TEMP TABLE orgs_organization (id, owner_id) "
    f"AS VALUES ({{acme}}, {{bob}}); {transfer('acme', 'bob', 'alice')}",
    "other people": "CREATE TEMP TABLE accounts_user (organization_id) AS VALUES (0); "
    + UNLOGGED_ANEW.replace("orgs_org", "public.orgs_org"),
    "another log": "CREATE TEMP TABLE accounts_usereventlog (organization_id, event) "
    f"AS VALUES (0, ''); CREATE TEMP TABLE orgs_ownershiptransfer {FORGED.replace('{acme}', '0')}; "
    + ANEW,
    "constraints put off": "SET CONSTRAINTS ALL DEFERRED; "
    f"{ALICE} is_active = FALSE WHERE id = {{alice}}",
}

IN_SQL = ON_BOTH | (ON_SQLITE if connection.vendor == "sqlite" else ON_POSTGRESQL)

# What an attack must leave as it was.
WATCHED = (
    "SELECT id, owner_id, slug FROM orgs_organization ORDER BY id",
    "SELECT id, email, organization_id, is_active, deleted_at, user_type FROM accounts_user "
    "ORDER BY id",
    "SELECT * FROM orgs_ownershiptransfer ORDER BY id",
    "SELECT * FROM accounts_usereventlog ORDER BY id",
    "SELECT * FROM accounts_logexport ORDER BY id",
)


def statements(attack: str, stage: Stage) -> list[str]:
    return [each.strip() for each in attack.format(**stage.ids).split(";")]
