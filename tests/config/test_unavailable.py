"""Without a database the answer is a clean 503, from a process that has none."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from config.processes import BASE_DIR

SCRIPT = """
import json, logging, django
django.setup()
logging.disable()
from django.test import Client
client = Client(raise_request_exception=False, headers={"host": "localhost"})
client.cookies["__Host-sessionid"] = "x" * 32
answers = [
    client.get("/accounts/login/", secure=True),
    client.get("/", secure=True),
    client.post("/stripe/webhook/00000000-0000-0000-0000-000000000000/", secure=True),
]
print(json.dumps([
    [each.status_code, each.headers.get("Retry-After"), each.content.decode()] for each in answers
]))
"""


@pytest.mark.process
def test_without_a_database_people_and_stripe_are_told_to_come_again() -> None:
    # A folder where the file should be.
    env = {"DEBUG": "false", "DATABASE_URL": f"sqlite:///{BASE_DIR}"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=BASE_DIR,
        env=os.environ | env | {"CACHE_URL": "", "DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True,
        text=True,
        check=True,
    )
    for status, retry_after, page in json.loads(done.stdout):
        assert (status, retry_after) == (503, "10")
        assert "Nothing of yours is lost" in page
        assert "Traceback" not in page
