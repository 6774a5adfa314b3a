"""The sweep as a process that runs for ever."""

from __future__ import annotations

import pytest

from config.processes import LOCALHOST, ManagedProcess, free_port

pytestmark = pytest.mark.process


def test_it_outlives_a_database_that_is_out_of_reach() -> None:
    nowhere = f"postgres://nobody@{LOCALHOST}:{free_port()}/nothing"
    env = {"DATABASE_URL": nowhere, "CACHE_URL": "locmemcache://"}
    with ManagedProcess("sync_billing", "--due", "--every=1", env=env) as sweep:
        sweep.wait_for_line(r"(?s)does not answer.*does not answer", within=60)
        assert sweep.returncode is None
