#!/usr/bin/env python
"""Django's command line. `manage.py sandbox` runs Stripe's stand-in, with settings of its own."""

import os
import sys

from django.core.management import execute_from_command_line


def main() -> None:
    is_sandbox = sys.argv[1:2] == ["sandbox"]
    if is_sandbox:
        os.environ["DJANGO_SETTINGS_MODULE"] = "sandbox.settings"
    else:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if sys.argv[1:2] != ["runserver"]:
        # A command is one thread; and a pool does not survive that rqworker forks.
        os.environ["DATABASE_POOL_SIZE"] = "0"
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
