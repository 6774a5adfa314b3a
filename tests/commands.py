"""Commands as documents and units write them: is there such a command, with such options?"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable

from config.processes import BASE_DIR

# Asks each command to read what it is called with. Those of every kind of worker are there.
SCRIPT = """
import argparse, json, shlex, sys
import django
from django.core.management import get_commands, load_command_class
django.setup()
wrong = {}
for line in json.load(sys.stdin):
    name, *arguments = shlex.split(line)
    try:
        app = get_commands()[name]
        command = load_command_class(app, name)
        parser = command.create_parser("manage.py", name)
        parser.error = lambda said: (_ for _ in ()).throw(ValueError(said))
        # By its name alone it is only spoken of.
        if arguments:
            parser.parse_args(arguments)
    except (KeyError, ValueError) as error:
        wrong[line] = repr(error)
json.dump(wrong, sys.stdout)
"""


def wrong_commands(lines: Iterable[str]) -> dict[str, str]:
    """Return those of these lines (what follows `manage.py`) that no command takes, and why."""
    wrong: dict[str, str] = {}
    for tasks in ("redis", "database"):
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT],
            cwd=BASE_DIR,
            env=os.environ
            | {"TASKS": tasks, "REDIS_URL": "redis://127.0.0.1:6379/0" if tasks == "redis" else ""}
            | {"DJANGO_SETTINGS_MODULE": "config.settings"},
            input=json.dumps(sorted(lines)),
            capture_output=True,
            text=True,
            check=True,
        )
        found = json.loads(done.stdout)
        wrong = found if tasks == "redis" else {k: v for k, v in found.items() if k in wrong}
    return wrong
