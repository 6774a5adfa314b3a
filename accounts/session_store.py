"""Sessions in the database, with copies in the cache, so that most requests need not read a row.

Django's `cached_db` would keep a copy for as long as the session: one that could not be removed,
or was made by a request that had read the row just before, would outlive a log-out by weeks.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Final

from asgiref.sync import sync_to_async
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.core.cache import cache
from django.utils import timezone

# For how long a copy counts. It bounds what can go wrong when the cache could not be reached as a
# session ended: after this time the row alone decides.
SECONDS_COPIED: Final = 60
# In the place of the copy of a session that was ended: a request that had read the row before
# cannot put its copy back.
ENDED: Final = "ended"


class SessionStore(DatabaseStore):
    """Which sessions there are, the rows say; a copy says what is in one."""

    def load(self) -> dict[str, Any]:
        key = self.session_key
        if key is None:
            return {}
        copy: tuple[float, dict[str, Any]] | str | None = cache.get(_copy_of(key))
        if copy is None:
            return self._load_row(key)
        if isinstance(copy, str) or copy[0] <= timezone.now().timestamp():
            self._session_key = None
            return {}
        return copy[1]

    def _load_row(self, key: str) -> dict[str, Any]:
        row = self._get_session_from_db()  # type: ignore[attr-defined]
        if row is None:
            return {}
        data: dict[str, Any] = self.decode(row.session_data)
        # Never over one that a request wrote meanwhile.
        cache.add(_copy_of(key), (row.expire_date.timestamp(), data), SECONDS_COPIED)
        return data

    def save(self, must_create: bool = False) -> None:
        if self.session_key is None:
            self.create()
            return
        if must_create and not hasattr(self, "_session_cache"):
            # One that is being made has no row to be read.
            self._session_cache: dict[str, Any] = {}
        # The copy first: if the session is ended meanwhile, writing the row fails, and says so.
        copy = _copy_of(self.session_key)
        expires = self.get_expiry_date().timestamp()
        cache.set(copy, (expires, dict(self.items())), SECONDS_COPIED)
        try:
            super().save(must_create)
        except UpdateError:
            cache.set(copy, ENDED, SECONDS_COPIED)
            raise
        except BaseException:
            cache.delete(copy)
            raise

    def delete(self, session_key: str | None = None) -> None:
        ended = session_key or self.session_key
        super().delete(session_key)
        if ended is not None:
            cache.set(_copy_of(ended), ENDED, SECONDS_COPIED)

    async def aload(self) -> dict[str, Any]:
        return await sync_to_async(self.load)()

    async def asave(self, must_create: bool = False) -> None:
        await sync_to_async(self.save)(must_create)

    async def adelete(self, session_key: str | None = None) -> None:
        await sync_to_async(self.delete)(session_key)


def _copy_of(session_key: str) -> str:
    # A cookie may hold anything, and who reads the cache need not be able to become somebody.
    return f"accounts.session.{sha256(session_key.encode(errors='replace')).hexdigest()}"
