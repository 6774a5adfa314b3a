"""A pytest plugin, loaded before Django's settings: tests depend on no machine's environment.

DATABASE_URL, REDIS_URL and TASKS alone are taken from it, to run the same tests on PostgreSQL, on
Redis and with each kind of worker.
"""

import gc
import os

VALUES = {
    "DEBUG": "true",
    "SECRET_KEY": "tests-only",
    "ENCRYPTION_KEY": "for-the-tests-only",
    "EMAIL_URL": "memorymail://",
    "STRIPE_SECRET_KEY": "",
    "STRIPE_API_HOST": "",
    "STRIPE_TEST_CLOCK": "",
    "STRIPE_LIVE_MODE": "false",
    "BILLING_GRACE_DAYS": "0",
    "CACHE_URL": "" if os.environ.get("REDIS_URL") else "locmemcache://",
    "BASE_URL": "http://testserver",
    "SECOND_FACTOR_NEEDED_BY": "nobody",
    "BREACHED_PASSWORDS": "false",
    "TRUSTED_PROXIES": "0",
    "CLIENT_ADDRESS_HEADER": "",
    "METRICS_TOKEN": "",
    "PROMETHEUS_MULTIPROC_DIR": "",
    # All that is called is on this machine: no proxy is looked for, at each call anew.
    "no_proxy": "127.0.0.1,localhost",
}
os.environ.update(VALUES)
# Nor on a file of secrets.
os.environ.update({f"{name}_FILE": "" for name in VALUES})


def pytest_collection_finish() -> None:
    """Have the garbage collector leave alone what lives as long as the process: a tenth of the
    time would go there."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
