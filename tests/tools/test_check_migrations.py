"""What a new migration may not do while others write, and what it may: rule by rule."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.db import models
from django.db.migrations import Migration, operations
from django.db.migrations.loader import MigrationLoader
from django.db.models.functions import Now, Random, Upper

from accounts.operations import (
    AddConstraintNotValid,
    AddIndexConcurrently,
    DropColumn,
    DropTable,
    RemoveIndexConcurrently,
    ValidateConstraint,
)
from config.processes import BASE_DIR
from orgs.constraints import CompositeForeignKey
from tools.check_migrations import complaints_about
from tools.migration_rules import RULES, Released, findings

INDEX = models.Index(fields=["closed_at"], name="orgs_organization_closed")
POSITIVE = models.CheckConstraint(condition=models.Q(rank__gte=0), name="orgs_tier_rank_positive")
TIED = CompositeForeignKey(
    name="orgs_organization_tied",
    fields=("owner", "id"),
    to_fields=("id", "ownable_organization_id"),
)


@cache
def released() -> Released:
    """What the migrations make, which the tests' own settings leave out."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.conf.settings.MIGRATION_MODULES", {}, raising=False)
        return Released(MigrationLoader(None).project_state())


def migration(*wanted: Any, is_atomic: bool = True) -> Migration:
    body = {"operations": list(wanted), "atomic": is_atomic}
    made: Migration = type("Migration", (Migration,), body)("0099_new", "orgs")
    return made


def broken(*wanted: Any, is_atomic: bool = True) -> list[str]:
    made = migration(*wanted, is_atomic=is_atomic)
    return [each.rule for each in findings(made, released().state, released())]


def add(name: str, field: models.Field[Any, Any], model: str = "organization") -> Any:
    return operations.AddField(model, name, field)


def alter(name: str, field: models.Field[Any, Any], model: str = "organization") -> Any:
    return operations.AlterField(model, name, field)


def forget(model: str, name: str) -> Any:
    return operations.SeparateDatabaseAndState(
        state_operations=[operations.RemoveField(model, name)]
    )


def do_nothing(*_: Any) -> None:
    pass


def key(to: str, **options: Any) -> models.ForeignKey[Any, Any]:
    return models.ForeignKey(to, models.PROTECT, **options)


BAD: list[tuple[str, str, Sequence[Any]]] = [
    ("M01", "a column without a default", [add("motto", models.TextField())]),
    (
        "M01",
        "a column with a default that only new code knows",
        [add("motto", models.TextField(default=""))],
    ),
    (
        "M01",
        "forgetting a column that new code then does not fill",
        [forget("organization", "slug")],
    ),
    (
        "M02",
        "a generated column",
        [
            add(
                "shout",
                models.GeneratedField(
                    expression=Upper("name"), output_field=models.TextField(), db_persist=True
                ),
            )
        ],
    ),
    (
        "M02",
        "a default that differs by row",
        [add("luck", models.FloatField(db_default=Random()))],
    ),
    (
        "M01",
        "an order that each row has",
        [operations.AlterOrderWithRespectTo("role", "organization")],
    ),
    ("M03", "another type", [alter("name", models.IntegerField())]),
    ("M03", "a shorter text", [alter("name", models.CharField(max_length=20))]),
    ("M04", "no more nulls", [alter("closed_at", models.DateTimeField())]),
    ("M05", "an index", [operations.AddIndex("organization", INDEX)]),
    ("M05", "a column with an index", [add("place", models.TextField(null=True, db_index=True))]),
    ("M05", "a key with its index", [add("heir", key("accounts.user", null=True))]),
    (
        "M05",
        "an index on a column",
        [alter("closed_at", models.DateTimeField(null=True, db_index=True))],
    ),
    ("M06", "a check", [operations.AddConstraint("tier", POSITIVE)]),
    ("M06", "a composite key", [operations.AddConstraint("organization", TIED)]),
    ("M06", "pairs that are unique", [operations.AlterUniqueTogether("tier", {("name", "rank")})]),
    ("M06", "a unique column", [add("code", models.TextField(null=True, unique=True))]),
    (
        "M06",
        "a column that becomes unique",
        [alter("name", models.CharField(max_length=120, unique=True))],
    ),
    (
        "M06",
        "adding and validating at once",
        [AddConstraintNotValid("tier", POSITIVE), ValidateConstraint("tier", POSITIVE.name)],
    ),
    ("M07", "another name for a column", [operations.RenameField("tier", "rank", "place")]),
    ("M07", "another column", [alter("name", models.CharField(max_length=120, db_column="title"))]),
    ("M07", "another name for a model", [operations.RenameModel("Tier", "Plan")]),
    ("M07", "another table", [operations.AlterModelTable("tier", "plans")]),
    ("M08", "removing a column", [operations.RemoveField("organization", "closed_at")]),
    ("M08", "removing a model", [operations.DeleteModel("ClockShift")]),
    (
        "M08",
        "both steps at once",
        [forget("organization", "closed_at"), DropColumn("organization", "closed_at")],
    ),
    ("M08", "dropping a key's column", [DropColumn("organization", "tier_id")]),
    ("M08", "dropping a table that is used", [DropTable("orgs_clockshift")]),
    ("M08", "dropping pairs that are used", [DropTable("orgs_role_permissions")]),
    (
        "M08",
        "removing a column out of sight",
        [
            operations.SeparateDatabaseAndState(
                database_operations=[operations.RemoveField("organization", "closed_at")]
            )
        ],
    ),
    ("M09", "code", [operations.RunPython(do_nothing, do_nothing)]),
    ("M09", "SQL", [operations.RunSQL("UPDATE orgs_tier SET rank = 0", "")]),
    (
        "M11",
        "two tables at once",
        [
            add("motto", models.TextField(null=True)),
            add("motto", models.TextField(null=True), model="tier"),
        ],
    ),
    ("M12", "an index in a transaction", [AddIndexConcurrently("organization", INDEX)]),
]


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [(rule, wanted) for rule, _, wanted in BAD],
    ids=[what for _, what, _ in BAD],
)
def test_what_stops_others_is_refused(rule: str, wanted: Sequence[Any]) -> None:
    assert broken(*wanted) == [rule]


def test_code_that_cannot_be_taken_back_is_refused() -> None:
    assert broken(operations.RunPython(do_nothing)) == ["M09", "M10"]


def test_what_no_transaction_takes_back_stands_alone() -> None:
    motto = add("motto", models.TextField(null=True))
    assert broken(AddIndexConcurrently("organization", INDEX), motto, is_atomic=False) == ["M12"]
    assert broken(motto, is_atomic=False) == ["M12"]


GOOD: dict[str, Sequence[Any]] = {
    "a nullable column": [add("motto", models.TextField(null=True))],
    "a column with a default in the database": [add("motto", models.TextField(db_default=""))],
    "a column that begins with this moment": [add("seen", models.DateTimeField(db_default=Now()))],
    "a key without an index": [add("heir", key("accounts.user", null=True, db_index=False))],
    "pairs, which are a table of their own": [
        add("friends", models.ManyToManyField("orgs.organization"))
    ],
    "a longer text": [alter("name", models.CharField(max_length=200))],
    "a text of any length": [alter("name", models.TextField())],
    "nulls from now on": [alter("created_at", models.DateTimeField(null=True))],
    "words for people": [
        alter("name", models.CharField("title", max_length=120)),
        alter("name", models.CharField("title", max_length=80), model="tier"),
    ],
    "a check of what is written from now on": [AddConstraintNotValid("tier", POSITIVE)],
    "looking at the rest, later": [ValidateConstraint("tier", POSITIVE.name)],
    "forgetting a column": [forget("organization", "closed_at")],
    "dropping what was forgotten": [DropColumn("organization", "forgotten")],
    "dropping a table that was forgotten": [DropTable("orgs_forgotten")],
    "a new table, with all that it needs": [
        operations.CreateModel("Badge", [("id", models.BigAutoField(primary_key=True))]),
        add("organization", key("orgs.organization"), model="badge"),
        operations.AddIndex("badge", models.Index(fields=["organization"], name="orgs_badge_of")),
        operations.AddConstraint(
            "badge",
            models.UniqueConstraint(fields=["organization"], name="orgs_badge_once"),
        ),
    ],
}


@pytest.mark.parametrize("wanted", GOOD.values(), ids=GOOD.keys())
def test_what_stops_nobody_passes(wanted: Sequence[Any]) -> None:
    assert broken(*wanted) == []


def test_a_generated_column_may_be_called_otherwise_by_people() -> None:
    known = released().state.models["orgs", "userroleassignment"].fields["held_in_id"].clone()
    known._verbose_name = "where it is held"
    assert broken(alter("held_in_id", known, model="userroleassignment")) == []


def test_an_index_is_built_and_removed_beside_those_who_write() -> None:
    assert broken(AddIndexConcurrently("organization", INDEX), is_atomic=False) == []
    known = RemoveIndexConcurrently("organization", "orgs_organization_founded")
    assert broken(known, is_atomic=False) == []


def test_each_rule_has_a_migration_that_breaks_it_and_a_row_in_the_guide() -> None:
    assert {rule for rule, *_ in BAD} | {"M10"} == RULES.keys()
    guide = (BASE_DIR / "docs/migrations.md").read_text()
    assert re.findall(r"^\| (M\d+) \|", guide, re.MULTILINE) == list(RULES)


def complaints(exceptions: dict[str, str]) -> list[str]:
    made = migration(operations.AddIndex("organization", INDEX))
    found = findings(made, released().state, released())
    return list(complaints_about(made, found, exceptions))


def test_a_complaint_says_what_to_do_instead() -> None:
    (complaint,) = complaints({})
    assert complaint.startswith("orgs.0099_new: M05: Create index orgs_organization_closed")
    assert complaint.endswith(RULES["M05"])


def test_an_exception_needs_a_reason_and_something_to_excuse() -> None:
    assert complaints({"M05": "The table has a hundred rows."}) == []
    assert "gives no reason for M05" in complaints({"M05": " "})[0]
    assert "names M01, which it keeps" in complaints({"M05": "Few rows.", "M01": "None."})[0]


NEW_FILE = """
from django.db import migrations
class Migration(migrations.Migration):
    dependencies = [("billing", "{before}")]
    operations = {operations}
"""


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """A copy of billing's migrations."""
    copied = shutil.copytree(BASE_DIR / "billing/migrations", tmp_path / "migrations_of_billing")
    (tmp_path / "their_settings.py").write_text(
        "from config.settings import *\nMIGRATION_MODULES = {'billing': 'migrations_of_billing'}\n"
    )
    return copied


def check(theirs: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tools.check_migrations"],
        cwd=BASE_DIR,
        env={
            "PYTHONPATH": str(theirs.parent),
            "DJANGO_SETTINGS_MODULE": "their_settings",
            "DEBUG": "true",
        },
        capture_output=True,
        text=True,
    )


def newest(theirs: Path) -> Path:
    return max(theirs.glob("0*.py"))


def test_the_command_refuses_a_new_file_until_it_gives_its_reason(theirs: Path) -> None:
    assert check(theirs).returncode == 0
    bad = NEW_FILE.format(
        before=newest(theirs).stem, operations='[migrations.RemoveField("standing", "ends_at")]'
    )
    file = theirs / "0099_bad.py"
    file.write_text(bad)
    refused = check(theirs)
    assert refused.returncode == 1
    assert "billing.0099_bad: M08: Remove field ends_at from standing." in refused.stderr
    file.write_text(bad + 'safe_because = {"M08": "No release has had it."}\n')
    assert check(theirs).returncode == 0


def test_the_command_misses_a_released_migration_that_is_gone(theirs: Path) -> None:
    gone = newest(theirs)
    gone.unlink()
    before = newest(theirs).stem
    (theirs / "0098_renamed.py").write_text(NEW_FILE.format(before=before, operations=[]))
    refused = check(theirs)
    assert refused.returncode == 1
    assert f"billing.{gone.stem} is released and gone" in refused.stderr
