"""Where settings find their values: the environment, or files that it names.

`NAME_FILE=/run/secrets/name` stands for `NAME`, for whatever keeps secrets in files, so that they
stand neither in the environment, which every child process gets, nor in a unit's file.
"""

from __future__ import annotations

from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured
from environ.fileaware_mapping import FileAwareMapping


class _Values(FileAwareMapping):
    """Values by name, from the environment or from files.

    Raises ImproperlyConfigured where a file cannot be read or holds nothing, and where both are
    set: after a change of keys, one of them would be the old one.
    """

    def __getitem__(self, name: str) -> str:
        path = self.env.get(f"{name}_FILE")
        if not path:
            value: str = self.env[name]
            return value
        if self.env.get(name):
            raise ImproperlyConfigured(f"{name} and {name}_FILE are both set. Leave one out.")
        return _read(Path(path), f"{name}_FILE")

    def setdefault(self, name: str, default: str = "") -> str:
        """Take a line of `.env`, unless the environment says the same, in either way."""
        if name.endswith("_FILE") and self.env.get(name.removesuffix("_FILE")):
            return ""
        taken: str = super().setdefault(name, default)
        return taken


def _read(path: Path, name: str) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        raise ImproperlyConfigured(f"{name} names {path}, which cannot be read: {why}.") from error
    # Editors and `echo` end a file with a newline, which no secret has.
    value = text.rstrip("\r\n")
    if not value:
        raise ImproperlyConfigured(f"{name} names {path}, which is empty.")
    return value


class Env(environ.Env):
    ENVIRON = _Values()
