"""Says in one sentence what the Python that runs it lacks. Parses on every Python since 2.7."""

import sys

MISSING_PART = (
    "Python at {0} has no {1} module: install it (on Debian and Ubuntu: "
    "sudo apt install python3-venv), or choose another Python: make PYTHON=/path/to/python3.\n"
)

if sys.version_info < (3, 11):
    sys.stderr.write(
        "Holdfast needs Python 3.11 or newer, and {0} is {1}.{2}: install a newer one, or say "
        "where it is: make PYTHON=/path/to/python3.\n".format(
            sys.executable, sys.version_info[0], sys.version_info[1]
        )
    )
    sys.exit(1)

try:
    # Debian and Ubuntu put these two into a package of their own.
    import ensurepip  # noqa: F401
    import venv  # noqa: F401
except ImportError as error:
    sys.stderr.write(MISSING_PART.format(sys.executable, error.name))
    sys.exit(1)
