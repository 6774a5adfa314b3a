"""The whole database into a file, and out of it, by the database's own means.

What they copy is what stands there: rows, guards, generated columns, keys and where counting goes
on. Django's `dumpdata` and `loaddata` know half of that, and the guards refuse them.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper


class BackupFailed(Exception):
    """One sentence for the person: what went wrong, and what to do."""


def back_up(connection: BaseDatabaseWrapper, file: Path) -> None:
    """Write the database, as it is at one moment, to a new file that its owner alone reads.

    Others go on meanwhile. Raises BackupFailed, and then leaves no file of that name.
    """
    if file.exists():
        raise BackupFailed(f"{file} is there already. Name another file.")
    part = file.with_name(f"{file.name}.part")
    try:
        part.unlink(missing_ok=True)
        part.touch(mode=0o600)
        if connection.vendor == "sqlite":
            _copy_of_sqlite(connection, part)
        else:
            _run(connection, "pg_dump", "--format=custom", "--no-owner", f"--file={part}")
        part.rename(file)
    except OSError as error:
        raise BackupFailed(f"{file} cannot be written: {error}.") from error
    finally:
        part.unlink(missing_ok=True)


def restore(connection: BaseDatabaseWrapper, file: Path) -> None:
    """Make an empty database what the file says. Raises BackupFailed; then it is still empty."""
    if not file.is_file():
        raise BackupFailed(f"There is no file {file}.")
    if connection.introspection.table_names():
        raise BackupFailed(
            f"The database {connection.settings_dict['NAME']} is not empty. Keep it, and restore "
            "into a new one."
        )
    if connection.vendor == "sqlite":
        _restore_sqlite(connection, file)
    else:
        connection.close()
        _run(connection, "pg_restore", "--single-transaction", "--no-owner", file=file)


def _copy_of_sqlite(connection: BaseDatabaseWrapper, part: Path) -> None:
    connection.ensure_connection()
    with closing(sqlite3.connect(part)) as copy:
        connection.connection.backup(copy)
        _require_whole(copy, part)


def _restore_sqlite(connection: BaseDatabaseWrapper, file: Path) -> None:
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as kept:
            _require_whole(kept, file)
            connection.ensure_connection()
            kept.backup(connection.connection)
    except sqlite3.DatabaseError as error:
        raise BackupFailed(f"{file} is no backup of SQLite: {error}.") from error


def _require_whole(database: sqlite3.Connection, file: Path) -> None:
    (said,) = database.execute("PRAGMA integrity_check").fetchone()
    if said != "ok":
        raise BackupFailed(f"{file} is damaged: {said}.")


def _run(
    connection: BaseDatabaseWrapper, program: str, *options: str, file: Path | None = None
) -> None:
    """Run one of PostgreSQL's programs on this database."""
    if shutil.which(program) is None:
        raise BackupFailed(
            f"{program} is not on this machine. Debian and Ubuntu: apt install postgresql-client."
        )
    client: Any = connection.client
    # What psql would be called with: where the server is, then the database's name.
    (_psql, *where, name), env = client.settings_to_cmd_args_env(connection.settings_dict, [])
    arguments = [program, *where, *options, f"--dbname={name}"]
    done = subprocess.run(
        [*arguments, *([str(file)] if file else [])],
        env=os.environ | (env or {}),
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise BackupFailed(f"{program} failed: {done.stderr.strip()}")
