"""The attacks on I8 and I9 in SQL: one line each, run by `test_role_attacks` as `attacks` are."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection, models
from django.utils import timezone

from accounts.models import User
from orgs import services
from orgs.models import Organization, Role, UserRoleAssignment
from tests.cast import Cast, OrganizationFactory, add_member, make_cast


@dataclass(frozen=True)
class Stage:
    """Who holds what: Bob `admin`, `billing_viewer` for the second time and Acme's own role; Dana
    `support`. Cleo held `member` and left Acme. Beta has a role of its own, held by nobody."""

    cast: Cast
    beta: Organization
    cleo: User
    roles: dict[str, Role]
    held: dict[str, UserRoleAssignment]

    @property
    def ids(self) -> dict[str, int]:
        cast = self.cast
        rows: dict[str, models.Model] = {"acme": cast.acme, "beta": self.beta, "cleo": self.cleo}
        rows |= {"alice": cast.alice, "bob": cast.bob, "charlie": cast.charlie, "dana": cast.dana}
        rows |= self.roles | self.held | {"beta_owner": self.beta.owner}
        return {name: row.pk for name, row in rows.items()}


def set_the_stage() -> Stage:
    cast, beta = make_cast(), OrganizationFactory.create()
    cleo = add_member(cast.acme)
    roles = {role.key: role for role in Role.objects.all()}
    for key, organization in (("own", cast.acme), ("theirs", beta)):
        roles[key] = Role.objects.create(key=key, name=key, organization=organization)

    def give(person: User, role: str, by: User = cast.alice) -> UserRoleAssignment:
        return services.assign_role(user=person, role=roles[role], by=by, now=timezone.now())

    def take(person: User, role: str) -> UserRoleAssignment:
        return services.revoke_role(
            user=person, role=roles[role], by=cast.alice, now=timezone.now()
        )

    give(cleo, "member")
    give(cast.bob, "billing_viewer")
    held = {"cleos": take(cleo, "member"), "bobs_former": take(cast.bob, "billing_viewer")}
    held |= {f"bobs_{role}": give(cast.bob, role) for role in ("admin", "billing_viewer", "own")}
    held["danas"] = give(cast.dana, "support", cast.dana)
    User.objects.filter(pk=cleo.pk).update(organization=None)
    return Stage(cast, beta, cleo, roles, held)


AT = "'2026-01-01 00:00:00+00:00'"


def assign(
    user: str,
    role: str,
    organization: str = "{acme}",
    kind: str = "'organization'",
    revoked_at: str = "NULL",
    verb: str = "INSERT",
    scope: str = "'built-in'",
) -> str:
    """A row that says this person holds this role there: active, unless it was revoked. It says
    that the role is a built-in one, true or not."""
    return (
        f"{verb} INTO orgs_userroleassignment (user_id, role_id, organization_id, kind, "
        f"role_scope, is_active, assigned_at, revoked_at) VALUES ({user}, {role}, {organization}, "
        f"{kind}, {scope}, {revoked_at} IS NULL, {AT}, {revoked_at})"
    )


def develop(user: str, role: str, organization: str = "NULL") -> str:
    return assign(user, role, organization, "'developer'")


def role(
    key: str,
    organization: str = "NULL",
    kind: str = "'organization'",
    id: str = "1000",
    verb: str = "INSERT",
) -> str:
    return (
        f"{verb} INTO orgs_role (id, key, name, kind, organization_id) "
        f"VALUES ({id}, '{key}', 'A role', {kind}, {organization})"
    )


def anew(key: str) -> str:
    """Delete a role and make it again, with the same id, as Beta's own."""
    return f"{REMOVE} {{{key}}}; {role('anew', '{beta}', id=f'{{{key}}}')}"


def exchange(key: str) -> str:
    """Exchange the ids of Acme's own role and Beta's."""
    change = f"UPDATE orgs_role SET {key}"
    return (
        f"{change} = -id WHERE id = {{own}}; {change} = {{own}} WHERE id = {{theirs}}; "
        f"{change} = {{theirs}} WHERE id = -{{own}}"
    )


def found_zero(then: str) -> str:
    """Found an organization that has the id 0, which a guard could take for none."""
    return (
        "INSERT INTO orgs_organization (id, owner_id, name, slug, billing_email, created_at) "
        f"VALUES (0, {{charlie}}, 'Zero', 'zero', '', {AT}); "
        f"UPDATE accounts_user SET organization_id = 0 WHERE id = {{charlie}}; {then}"
    )


ACME = "'{acme}'"
SET = "UPDATE orgs_userroleassignment SET"
ROLE = "UPDATE orgs_role SET"
PERSON = "UPDATE accounts_user SET"
REMOVE = "DELETE FROM orgs_role_permissions WHERE role_id > 0; DELETE FROM orgs_role WHERE id ="
ACTIVATE = f"{SET} is_active = TRUE, revoked_at = NULL WHERE id ="
BOB_MOVES = f"{PERSON} organization_id = {{beta}} WHERE id = {{bob}}"
BOBS_MOVE = f"{SET} organization_id = {{beta}} WHERE user_id = {{bob}}"

HELD_ONCE = {
    "held twice": assign("{bob}", "{admin}"),
    "held twice, by an update": f"{SET} role_id = {{admin}} WHERE id = {{bobs_own}}",
    "a developer role held twice": develop("{dana}", "{support}"),
    "active again though held again": f"{ACTIVATE} {{bobs_former}}",
    "copied": "INSERT INTO orgs_userroleassignment (user_id, role_id, kind, role_scope, "
    "organization_id, is_active, assigned_at) SELECT user_id, role_id, kind, role_scope, "
    "organization_id, is_active, assigned_at FROM orgs_userroleassignment WHERE id = {bobs_admin}",
    "active though revoked": f"{SET} revoked_at = {AT} WHERE id = {{bobs_admin}}",
    "ended at no time": f"{SET} is_active = FALSE WHERE id = {{bobs_admin}}",
}
KINDS_AGREE = {
    "an organization's role as a developer's": develop("{dana}", "{admin}"),
    "a developer's role as an organization's": assign("{bob}", "{engineer}"),
    "an organization's role nowhere": assign("{bob}", "{member}", "NULL"),
    "a developer's role somewhere": develop("{dana}", "{engineer}", "{acme}"),
    "of another kind, revoked": assign("{bob}", "{engineer}", revoked_at=AT),
    "of no kind known": assign("{bob}", "{member}", kind="'guest'"),
    "led to a role of another kind": f"{SET} role_id = {{engineer}} WHERE id = {{bobs_admin}}",
    "a role's kind changed": f"{ROLE} kind = 'developer' WHERE id = {{admin}}",
    "a role's kind changed, once held": f"{ROLE} kind = 'developer' WHERE id = {{member}}",
    "a role's kind changed with its holders'": f"{ROLE} kind = 'developer' WHERE id = {{admin}}; "
    f"{SET} kind = 'developer', organization_id = NULL WHERE role_id = {{admin}}",
    "a developer role's, with its holders'": f"{ROLE} kind = 'organization' WHERE id = {{support}};"
    f" {SET} kind = 'organization', organization_id = {{acme}} WHERE role_id = {{support}}",
    "an organization's own role for developers": role("anew", "{acme}", "'developer'"),
    "a role made so": f"{ROLE} kind = 'developer' WHERE id = {{theirs}}",
    "a role of no kind known": role("anew", kind="'guest'"),
    "ownership as a role": role("organization_owner"),
    "ownership as a role, its case changed": role("Organization_OWNER"),
    "ownership as an organization's role": role("ORGANIZATION_OWNER", "{acme}"),
    "a role renamed to ownership": f"{ROLE} key = 'organization_Owner' WHERE id = {{own}}",
    "a role deleted while it is held": f"{REMOVE} {{admin}}",
}
HELD_BY_MEMBERS = {
    "held by an outsider": assign("{charlie}", "{member}"),
    "held by another team's owner": assign("{beta_owner}", "{member}"),
    "held by a developer": assign("{dana}", "{member}"),
    "held by nobody": assign("1000000000", "{member}"),
    "held elsewhere": assign("{bob}", "{member}", "{beta}"),
    "held in what is not there": assign("{bob}", "{member}", "1000000000"),
    "moved elsewhere": f"{SET} organization_id = {{beta}} WHERE id = {{bobs_admin}}",
    "handed to an outsider": f"{SET} user_id = {{charlie}} WHERE id = {{bobs_admin}}",
    "handed to a developer": f"{SET} user_id = {{dana}} WHERE id = {{bobs_admin}}",
    "active again after leaving": f"{ACTIVATE} {{cleos}}",
    "revoked, left, active again": f"{SET} is_active = FALSE, revoked_at = {AT} "
    "WHERE user_id = {bob} AND is_active; "
    f"{PERSON} organization_id = NULL WHERE id = {{bob}}; {ACTIVATE} {{bobs_admin}}",
    "the member leaves": f"{PERSON} organization_id = NULL WHERE id = {{bob}}",
    "the member moves": BOB_MOVES,
    "everybody but the owner leaves": f"{PERSON} organization_id = NULL WHERE id <> {{alice}} "
    "AND organization_id = {acme}",
    "the member made a developer": f"{PERSON} organization_id = NULL, user_type = 'developer' "
    "WHERE id = {bob}",
    "the member with another id": f"{PERSON} id = 99 WHERE id = {{bob}}",
}
HELD_BY_DEVELOPERS = {
    "a developer's role held by a member": develop("{bob}", "{engineer}"),
    "a developer's role held by an outsider": develop("{charlie}", "{engineer}"),
    "a developer's role handed on": f"{SET} user_id = {{bob}} WHERE id = {{danas}}",
    "a developer made a member": f"{PERSON} user_type = 'member', is_staff = FALSE "
    "WHERE id = {dana}",
    "a developer made something else": f"{PERSON} user_type = 'guest', is_staff = FALSE "
    "WHERE id = {dana}",
}
OWN_ROLES_STAY = {
    "another's own role": assign("{bob}", "{theirs}"),
    "another's own role, revoked": assign("{bob}", "{theirs}", revoked_at=AT),
    "another's own role, called theirs": assign("{bob}", "{theirs}", scope="'{beta}'"),
    "another's own role, called ours": assign("{bob}", "{theirs}", scope="'{acme}'"),
    "a built-in role, called ours": assign("{bob}", "{member}", scope="'{acme}'"),
    "led to another's own role, called theirs": f"{SET} role_id = {{theirs}}, "
    "role_scope = '{beta}' WHERE id = {bobs_admin}",
    "another's own role in their name, called theirs": assign(
        "{beta_owner}", "{own}", "{beta}", scope="'{beta}'"
    ),
    "moved with its holder, called theirs": f"{BOB_MOVES}; {SET} "
    "organization_id = {beta}, role_scope = CASE id WHEN {bobs_own} THEN '{beta}' ELSE role_scope "
    "END WHERE user_id = {bob}",
    "given before it is there, called ours": f"{assign('{bob}', '1000', scope=ACME)}; "
    + role("anew", "{beta}"),
    "a role of no scope": f"{SET} role_scope = NULL WHERE id = {{bobs_admin}}",
    "a role of an empty scope": f"{SET} role_scope = '' WHERE id = {{bobs_admin}}",
    "another's own role, in their name": assign("{beta_owner}", "{own}", "{beta}"),
    "led to another's own role": f"{SET} role_id = {{theirs}} WHERE id = {{bobs_admin}}",
    "moved with its holder": f"{BOB_MOVES}; {BOBS_MOVE}",
    "a role moved": f"{ROLE} organization_id = {{beta}} WHERE id = {{own}}",
    "a role moved with its holder": f"{BOB_MOVES}; {ROLE} organization_id = {{beta}} "
    f"WHERE id = {{own}}; {BOBS_MOVE}",
    "a built-in role made another's": f"{ROLE} organization_id = {{beta}} WHERE id = {{admin}}",
    "… once held": f"{ROLE} organization_id = {{beta}} WHERE id = {{member}}",
    "a role moved, ON CONFLICT": role("own", "{beta}", id="{own}")
    + " ON CONFLICT (id) DO UPDATE SET organization_id = excluded.organization_id",
    "a role moved, UPDATE FROM": f"{ROLE} organization_id = o.id FROM orgs_organization o "
    "WHERE orgs_role.id = {own} AND o.id = {beta}",
    "roles exchanged": exchange("id"),
    "a role made anew": anew("own"),
    "a built-in role made anew": anew("admin"),
    "given before it is there": f"{assign('{bob}', '1000')}; {role('anew', '{beta}')}",
    "moved to an organization with the id 0": found_zero(
        f"{ROLE} organization_id = 0 WHERE id = {{admin}}"
    ),
}
ON_BOTH = HELD_ONCE | KINDS_AGREE | HELD_BY_MEMBERS | HELD_BY_DEVELOPERS | OWN_ROLES_STAY

REPLACE = "INSERT OR REPLACE"
FORGED = "AS SELECT {theirs} AS id, {acme} AS organization_id"
ON_SQLITE = {
    "held by an outsider, OR REPLACE": assign("{charlie}", "{member}", verb=REPLACE),
    "another's own role, OR REPLACE": assign("{bob}", "{theirs}", verb=REPLACE),
    "another's own role, OR IGNORE": assign("{bob}", "{theirs}", verb="INSERT OR IGNORE"),
    "led to another's own role, OR IGNORE": "UPDATE OR IGNORE orgs_userroleassignment "
    "SET role_id = {theirs} WHERE id = {bobs_admin}",
    "the member replaced": "INSERT OR REPLACE INTO accounts_user (id, email, password, name, "
    "user_type, is_active, is_staff, is_superuser, created_at) VALUES ({bob}, 'bob@example.com', "
    f"'', '', 'member', TRUE, FALSE, FALSE, {AT})",
    "a role of another kind replaced": role("admin", "NULL", "'developer'", "{admin}", REPLACE),
    "a role replaced, found by its key": role("admin", verb=REPLACE),
    "a role replaced": role("own", "{beta}", id="{own}", verb=REPLACE),
    "a built-in role replaced": role("admin", "{beta}", id="{admin}", verb=REPLACE),
    "a role displaced": "UPDATE OR REPLACE orgs_role SET id = {own} WHERE id = {theirs}",
    "a role displaced by its key": "UPDATE OR REPLACE orgs_role SET organization_id = NULL, "
    "key = 'admin' WHERE id = {theirs}",
    **{f"roles exchanged, by {name}": exchange(name) for name in ("rowid", "_rowid_", "oid")},
    "other roles": f"CREATE TEMP TABLE orgs_role {FORGED}; "
    + assign("{bob}", "{theirs}").replace("orgs_user", "main.orgs_user"),
}
ON_POSTGRESQL = {
    # Tables of the same name, for the guards to look into instead.
    "other roles": f"CREATE TEMP TABLE orgs_role {FORGED}; {assign('{bob}', '{theirs}')}",
    "other roles, in a schema": f"CREATE SCHEMA forged; CREATE TABLE forged.orgs_role {FORGED}; "
    f"SET LOCAL search_path = forged, public; {assign('{bob}', '{theirs}')}",
    "other assignments": "CREATE TEMP TABLE orgs_userroleassignment (role_id) AS VALUES (0); "
    f"{ROLE} organization_id = {{beta}} WHERE id = {{own}}",
    "MERGE": "MERGE INTO orgs_role r USING orgs_organization o ON r.id = {own} AND o.id = {beta} "
    "WHEN MATCHED THEN UPDATE SET organization_id = o.id",
    "given and moved in one statement": "WITH given AS ("
    f"{assign('{beta_owner}', '{theirs}', '{beta}')} RETURNING id) "
    f"{ROLE} organization_id = {{acme}} WHERE id = {{theirs}}",
    "constraints put off": f"SET CONSTRAINTS ALL DEFERRED; {BOB_MOVES}",
}
IN_SQL = ON_BOTH | (ON_SQLITE if connection.vendor == "sqlite" else ON_POSTGRESQL)

# What an attack must leave as it was.
WATCHED = (
    "SELECT id, key, kind, organization_id FROM orgs_role ORDER BY id",
    "SELECT * FROM orgs_userroleassignment ORDER BY id",
    "SELECT id, organization_id, user_type FROM accounts_user ORDER BY id",
    "SELECT id, owner_id FROM orgs_organization ORDER BY id",
)


def statements(attack: str, stage: Stage) -> list[str]:
    return [each.strip() for each in attack.format(**stage.ids).split(";")]
