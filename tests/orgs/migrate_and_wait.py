"""A `migrate` of the tests' database that says when it is in the middle, and waits for a word."""

from __future__ import annotations

import sys
from typing import Any

import django
from django.apps import AppConfig, apps
from django.conf import settings
from django.core.management import call_command
from django.db.models.signals import post_migrate


def wait(sender: AppConfig, **kwargs: Any) -> None:
    # The first to be told, before `orgs` puts the guards in their place.
    if sender.name == "accounts":
        sys.stdout.write("in the middle\n")
        sys.stdout.flush()
        sys.stdin.readline()


if __name__ == "__main__":
    django.setup()
    settings.MIGRATION_MODULES = {each.label: None for each in apps.get_app_configs()}
    post_migrate.connect(wait)
    call_command("migrate", run_syncdb=True, verbosity=0)
