from __future__ import annotations

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection

from orgs.guards import installation


@pytest.mark.django_db(transaction=True)
def test_migrate_brings_back_the_guards_that_the_check_misses() -> None:
    installation.drop(connection)
    with pytest.raises(SystemCheckError, match=r"orgs\.E001"):
        call_command("check", databases=["default"])
    call_command("migrate", verbosity=0, skip_checks=False)
    call_command("check", databases=["default"])
    assert installation.missing_or_altered(connection) == []
