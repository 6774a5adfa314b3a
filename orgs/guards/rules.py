"""The rules that constraints cannot say, each as a trigger for SQLite and one for PostgreSQL.

They stand in docs/rules.md, "Invariants". A refusal is an IntegrityError on both databases.
"""

from __future__ import annotations

from dataclasses import dataclass

from accounts.events import KEPT_FOR_EVER


@dataclass(frozen=True)
class Guard:
    """One trigger. `event` is when it fires, `sqlite` and `postgresql` are what it then does.

    A database whose text is None needs no such guard.
    """

    name: str
    table: str
    event: str
    sqlite: str | None = None
    postgresql: str | None = None


ORGANIZATION = "orgs_organization"
TRANSFER = "orgs_ownershiptransfer"
LOG = "accounts_usereventlog"
EXPORT = "accounts_logexport"


def _refusal(sentence: str, condition: str = "TRUE") -> dict[str, str]:
    """Refuse when the condition holds; it reads OLD and NEW on both databases alike."""
    return {
        "sqlite": f"SELECT RAISE(ABORT, '{sentence}') WHERE {condition};",
        "postgresql": (
            f"IF {condition} THEN\n"
            f"    RAISE EXCEPTION '{sentence}' USING ERRCODE = '23514';\n"
            "END IF;"
        ),
    }


I4_OWNER_CHANGES_BY_TRANSFER = (
    Guard(
        "orgs_organization_owner_changes_by_transfer",
        ORGANIZATION,
        "BEFORE UPDATE OF owner_id",
        **_refusal(
            "An owner changes by a transfer of ownership only (I4)",
            "NEW.owner_id <> OLD.owner_id AND NOT EXISTS ("
            "SELECT 1 FROM orgs_ownershiptransfer AS newest "
            "WHERE newest.id = (SELECT max(id) FROM orgs_ownershiptransfer "
            "WHERE organization_id = OLD.id) "
            "AND newest.from_owner_id = OLD.owner_id AND newest.to_owner_id = NEW.owner_id)",
        ),
    ),
    # Inserting the row is the act.
    Guard(
        "orgs_ownershiptransfer_makes_owner",
        TRANSFER,
        "AFTER INSERT",
        sqlite=(
            "SELECT RAISE(ABORT, 'A transfer is from the present owner (I4)') WHERE NOT EXISTS ("
            "SELECT 1 FROM orgs_organization "
            "WHERE id = NEW.organization_id AND owner_id = NEW.from_owner_id); "
            "UPDATE orgs_organization SET owner_id = NEW.to_owner_id "
            "WHERE id = NEW.organization_id; "
            # INSERT OR IGNORE would pass over an update that a constraint refused.
            "SELECT RAISE(ABORT, 'A transfer makes its owner (I4)') WHERE NOT EXISTS ("
            "SELECT 1 FROM orgs_organization "
            "WHERE id = NEW.organization_id AND owner_id = NEW.to_owner_id);"
        ),
        # One statement looks and acts: of two transfers at once, the second waits for the first,
        # looks again, and finds another owner.
        postgresql=(
            "UPDATE orgs_organization SET owner_id = NEW.to_owner_id\n"
            "    WHERE id = NEW.organization_id AND owner_id = NEW.from_owner_id;\n"
            "IF NOT FOUND THEN\n"
            "    RAISE EXCEPTION 'A transfer is from the present owner (I4)' "
            "USING ERRCODE = '23514';\n"
            "END IF;"
        ),
    ),
    # Whoever could exchange two organizations' ids could exchange their owners.
    Guard(
        "orgs_organization_keeps_its_id",
        ORGANIZATION,
        "BEFORE UPDATE OF id",
        **_refusal("An organization keeps its id (I4)", "NEW.id <> OLD.id"),
    ),
    # SQLite has three more names for that column, and an update by one of them is not OF id.
    Guard(
        "orgs_organization_keeps_its_rowid",
        ORGANIZATION,
        "BEFORE UPDATE OF rowid, _rowid_, oid",
        _refusal("An organization keeps its id (I4)", "NEW.id <> OLD.id")["sqlite"],
    ),
    # Deleted and made anew with the same id, it would have another owner without a transfer. Its
    # founding is in the log for ever, and at a true founding that line is written afterwards. One
    # that was founded past the services is known by its transfers, and is not deleted before
    # somebody has written that line.
    Guard(
        "orgs_organization_is_founded_once",
        ORGANIZATION,
        "AFTER INSERT",
        **_refusal(
            "An organization is founded once (I4)",
            "EXISTS (SELECT 1 FROM accounts_usereventlog "
            "WHERE organization_id = NEW.id AND event = 'organization_founded') "
            "OR EXISTS (SELECT 1 FROM orgs_ownershiptransfer WHERE organization_id = NEW.id)",
        ),
    ),
    Guard(
        "orgs_organization_goes_on_record",
        ORGANIZATION,
        "BEFORE DELETE",
        **_refusal(
            "An organization is not deleted before its founding is in the log (I4)",
            "NOT EXISTS (SELECT 1 FROM accounts_usereventlog "
            "WHERE organization_id = OLD.id AND event = 'organization_founded')",
        ),
    ),
)


def _for_ever(table: str, what: str) -> tuple[Guard, ...]:
    """Rows are added, and never changed or removed."""
    removed = _refusal(f"{what} are never removed (I5)")
    return (
        _never_changed(table, what),
        Guard(f"{table}_is_never_removed", table, "BEFORE DELETE", **removed),
        _never_truncated(table, what),
        _never_replaced(table, what),
    )


def _never_changed(table: str, what: str) -> Guard:
    refusal = _refusal(f"{what} are never changed (I5)")
    return Guard(f"{table}_is_never_changed", table, "BEFORE UPDATE", **refusal)


def _never_truncated(table: str, what: str) -> Guard:
    refusal = _refusal(f"{what} are never removed (I5)")["postgresql"]
    return Guard(f"{table}_is_never_truncated", table, "BEFORE TRUNCATE", None, refusal)


def _never_replaced(table: str, what: str) -> Guard:
    """SQLite's INSERT OR REPLACE removes the row that stands in its way and fires no trigger."""
    condition = f"EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id)"
    refusal = _refusal(f"{what} are never replaced (I5)", condition)
    return Guard(f"{table}_is_never_replaced", table, "BEFORE INSERT", refusal["sqlite"])


_kept = ", ".join(f"'{event.value}'" for event in KEPT_FOR_EVER)
_exported = f"EXISTS (SELECT 1 FROM {EXPORT} WHERE {{id}} BETWEEN first_id AND last_id)"

I5_WHAT_HAPPENED_STAYS = (
    *_for_ever(TRANSFER, "Transfers of ownership"),
    _never_changed(LOG, "Lines of the log"),
    Guard(
        f"{LOG}_is_exported_before_it_is_removed",
        LOG,
        "BEFORE DELETE",
        **_refusal(
            "Lines of the log are not removed before they are exported (I5)",
            f"OLD.event IN ({_kept}) OR NOT {_exported.format(id='OLD.id')}",
        ),
    ),
    _never_truncated(LOG, "Lines of the log"),
    _never_replaced(LOG, "Lines of the log"),
    # It would be in a range that counts as exported, and in no file.
    Guard(
        f"{LOG}_goes_on_after_what_is_exported",
        LOG,
        "BEFORE INSERT",
        **_refusal(
            "No line of the log is added among exported ones (I5)", _exported.format(id="NEW.id")
        ),
    ),
    *_for_ever(EXPORT, "Exports of the log"),
    Guard(
        f"{EXPORT}_covers_what_is_there",
        EXPORT,
        "BEFORE INSERT",
        **_refusal(
            "An export of the log covers the lines that it counts (I5)",
            f"NEW.lines <> (SELECT count(*) FROM {LOG} "
            "WHERE id BETWEEN NEW.first_id AND NEW.last_id)",
        ),
    ),
)


I6_ORGANIZATIONS_WITH_MEMBERS_STAY = (
    Guard(
        "orgs_organization_with_members_stays",
        ORGANIZATION,
        "BEFORE DELETE",
        **_refusal(
            "An organization with members is not deleted (I6)",
            "EXISTS (SELECT 1 FROM accounts_user WHERE organization_id = OLD.id)",
        ),
    ),
    Guard(
        "orgs_organization_is_never_truncated",
        ORGANIZATION,
        "BEFORE TRUNCATE",
        None,
        _refusal("Organizations are not deleted all at once (I6)")["postgresql"],
    ),
    Guard(
        "orgs_organization_is_never_replaced",
        ORGANIZATION,
        "BEFORE INSERT",
        _refusal(
            "Organizations are never replaced (I6)",
            "EXISTS (SELECT 1 FROM orgs_organization WHERE id = NEW.id "
            "OR slug = NEW.slug OR stripe_customer_id = NEW.stripe_customer_id)",
        )["sqlite"],
    ),
    # UPDATE OR REPLACE removes the row that stands in its way as well.
    Guard(
        "orgs_organization_is_never_displaced",
        ORGANIZATION,
        "BEFORE UPDATE OF slug, stripe_customer_id",
        _refusal(
            "Organizations are never replaced (I6)",
            "EXISTS (SELECT 1 FROM orgs_organization WHERE id <> OLD.id "
            "AND (slug = NEW.slug OR stripe_customer_id = NEW.stripe_customer_id))",
        )["sqlite"],
    ),
)


GUARDS = (
    *I4_OWNER_CHANGES_BY_TRANSFER,
    *I5_WHAT_HAPPENED_STAYS,
    *I6_ORGANIZATIONS_WITH_MEMBERS_STAY,
)
