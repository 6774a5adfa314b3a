"""A pytest plugin, loaded before Django's settings: tests depend on no machine's environment.

DATABASE_URL and TASKS alone are taken from it, to run the same tests on PostgreSQL and with each
kind of worker.
"""

import os

os.environ.update(
    {
        "DEBUG": "true",
        "SECRET_KEY": "tests-only",
        "EMAIL_URL": "memorymail://",
        "STRIPE_SECRET_KEY": "",
        "STRIPE_API_HOST": "",
        "STRIPE_TEST_CLOCK": "",
        "BILLING_GRACE_DAYS": "0",
        "CACHE_URL": "locmemcache://",
        "BASE_URL": "http://testserver",
        "STAFF_NEED_SECOND_FACTOR": "false",
        "TRUSTED_PROXIES": "0",
        "CLIENT_ADDRESS_HEADER": "",
    }
)
