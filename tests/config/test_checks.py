"""`manage.py check --deploy`: each dangerous setting is named, by a process that has it."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from config.processes import BASE_DIR

SAFE = {
    "DEBUG": "false",
    "SECRET_KEY": "0nly-f0r-the-tests-0f-the-settings-7f3b1c9d5e8a2460-x",
    "ENCRYPTION_KEY": "0nly-f0r-the-tests-0f-encrypti0n-2c9e7a4b1d6f8350-y",
    "ALLOWED_HOSTS": "app.example.com",
    "BASE_URL": "https://app.example.com",
    "DATABASE_URL": "sqlite:///:memory:",
    "CACHE_URL": "",
    "REDIS_URL": "",
    "EMAIL_URL": "smtp+tls://user:password@mail.example.com:587",
    "SECOND_FACTOR_NEEDED_BY": "staff",
    "STRIPE_SECRET_KEY": "sk_live_check",
    "STRIPE_LIVE_MODE": "true",
    "STRIPE_API_HOST": "",
    "STRIPE_TEST_CLOCK": "",
    "TRUSTED_PROXIES": "0",
    "CLIENT_ADDRESS_HEADER": "",
}
# What is set, and the checks that must say so: each setting has one, and each process several.
DANGERS = {
    "debugging": ({"DEBUG": "true"}, {"security.W018"}),
    "a site that anybody can listen to, forge, and get into": (
        {
            "SECRET_KEY": "secret",
            "ENCRYPTION_KEY": "another secret",
            "SECURE_SSL_REDIRECT": "false",
            "SECURE_HSTS_SECONDS": "0",
            "BASE_URL": "http://other.example.com",
            "EMAIL_URL": "consolemail://",
            "BEHIND_TLS_PROXY": "true",
            "SECOND_FACTOR_NEEDED_BY": "nobody",
            "CACHE_URL": "locmemcache://",
        },
        {
            "security.W009",
            "security.W008",
            "security.W004",
            "config.E001",
            "config.E002",
            "config.E004",
            "config.W001",
            "config.W002",
            "config.W003",
            "accounts.W001",
        },
    ),
    "Stripe's live mode where all else is a test": (
        {
            "STRIPE_LIVE_MODE": "false",
            "STRIPE_TEST_CLOCK": "clock_1",
            "STRIPE_API_HOST": "http://127.0.0.1:8001",
        },
        {"billing.E001", "billing.E002", "djstripe.W002"},
    ),
    "a test key in live mode, any host, and one key for all": (
        {
            "STRIPE_SECRET_KEY": "sk_test_check",
            "ALLOWED_HOSTS": "*",
            "ENCRYPTION_KEY": SAFE["SECRET_KEY"],
        },
        {"billing.E001", "config.E003", "config.E004"},
    ),
    "no key": ({"STRIPE_SECRET_KEY": "", "STRIPE_LIVE_MODE": "false"}, {"billing.W001"}),
}

pytestmark = pytest.mark.process


def check(**changed: str) -> subprocess.CompletedProcess[str]:
    command = ["manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    return subprocess.run(
        [sys.executable, *command],
        cwd=BASE_DIR,
        env=os.environ | SAFE | changed,
        capture_output=True,
        text=True,
        check=False,
    )


def test_settings_as_they_are_shipped_raise_no_word() -> None:
    done = check()
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("danger", DANGERS)
def test_each_danger_is_named_with_what_to_do(danger: str) -> None:
    changed, wanted = DANGERS[danger]
    done = check(**changed)
    assert done.returncode == 1
    said = dict(re.findall(r"^\?: \((\S+)\) ([^?]+)", done.stderr, re.MULTILINE))
    assert said.keys() >= wanted
    for each in wanted:
        assert "HINT: " in said[each] or each.startswith("security."), each


def test_tasks_on_redis_need_to_be_told_where_it_is() -> None:
    done = check(TASKS="redis")
    assert done.returncode == 1
    assert "Set it to redis://host:6379/0." in done.stderr


def test_who_needs_a_second_factor_is_one_of_three_words() -> None:
    done = check(SECOND_FACTOR_NEEDED_BY="members")
    assert done.returncode == 1
    assert "Set it to nobody, staff or everybody." in done.stderr
