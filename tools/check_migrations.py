"""Exits 1, saying why, if a migration that is not released stops others, or a released one is gone.

    python -m tools.check_migrations             looks
    python -m tools.check_migrations --release   takes all that there are as released

docs/migrations.md has the rules, and how a migration makes an exception.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import django
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader

from tools.migration_rules import RULES, Finding, Released, findings

APPS = ("accounts", "orgs", "billing")
RELEASED = Path(__file__).with_name("released_migrations.txt")
Key = tuple[str, str]


def main() -> None:
    parser = argparse.ArgumentParser(description="Check migrations that are not released.")
    parser.add_argument("--release", action="store_true", help="take all of them as released")
    is_release = parser.parse_args().release
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    # Without a database.
    loader = MigrationLoader(None)
    ours = sorted(key for key in loader.graph.nodes if key[0] in APPS)
    if is_release:
        RELEASED.write_text("".join(f"{app}.{name}\n" for app, name in ours))
        return
    complaints = list(_complaints(loader, ours))
    if complaints:
        sys.exit("\n".join([*complaints, "docs/migrations.md says how it is done."]))


def _complaints(loader: MigrationLoader, ours: list[Key]) -> Iterator[str]:
    lines = RELEASED.read_text().splitlines()
    known = [(app, name) for app, _dot, name in (line.partition(".") for line in lines)]
    for app, name in known:
        if (app, name) not in ours:
            yield f"{app}.{name} is released and gone: databases know it by this name."
    there = [key for key in known if key in ours]
    released = Released(loader.project_state(there))
    for key in ours:
        if key not in known:
            migration = loader.get_migration(*key)
            found = findings(migration, loader.project_state(key, at_end=False), released)
            yield from complaints_about(migration, found, _exceptions_of(migration))


def _exceptions_of(migration: Migration) -> Mapping[str, str]:
    module = importlib.import_module(type(migration).__module__)
    exceptions: Mapping[str, str] = getattr(module, "safe_because", {})
    return exceptions


def complaints_about(
    migration: Migration, found: Iterator[Finding], exceptions: Mapping[str, str]
) -> Iterator[str]:
    """Yield what is found and not excepted, and exceptions that give no reason or stand for
    nothing."""
    used = set()
    for finding in found:
        used.add(finding.rule)
        if finding.rule not in exceptions:
            yield f"{migration}: {finding.rule}: {finding.what}. {RULES[finding.rule]}"
    for rule, reason in exceptions.items():
        if rule not in used:
            yield f"{migration}: safe_because names {rule}, which it keeps."
        elif not reason.strip():
            yield f"{migration}: safe_because gives no reason for {rule}."


if __name__ == "__main__":
    main()
