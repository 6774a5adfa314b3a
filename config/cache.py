"""Redis as the cache; while it does not answer, the database's table in its place."""

from __future__ import annotations

import logging
import time
from typing import Any, Final

from django.core.cache import caches
from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

# The alias of the cache that takes over.
FALLBACK: Final = "database"
# How long Redis is not asked again: else each request would wait for it to be silent.
SECONDS_LEFT_ALONE: Final = 5

logger = logging.getLogger(__name__)


class _Outage:
    """Until when this process asks the other cache, by `time.monotonic`."""

    until = 0.0


class _OwnKeys(RedisCache):
    """A Redis that others use too: the queue of tasks stands in the same database."""

    def clear(self) -> None:
        client = self._cache.get_client(write=True)
        for key in client.scan_iter(match=self.make_key("*"), count=1000):
            client.delete(key)


class FailoverCache(BaseCache):
    """A cache that stands when Redis falls: people get in, and attempts are still counted.

    What was kept in the one is not known to the other, so an outage begins with an empty cache,
    and a value that was written meanwhile is missing, or old, when Redis is back. Whoever keeps
    something here must be able to live with that (accounts/session_store.py does so by time).
    """

    def __init__(self, location: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        self._redis = _OwnKeys(location, params)

    def add(
        self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> bool:
        return bool(self._ask("add", key, value, timeout=timeout, version=version))

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return self._ask("get", key, default, version=version)

    def set(
        self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> None:
        self._ask("set", key, value, timeout=timeout, version=version)

    def touch(self, key: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return bool(self._ask("touch", key, timeout=timeout, version=version))

    def delete(self, key: Any, version: int | None = None) -> bool:
        return bool(self._ask("delete", key, version=version))

    def get_many(self, keys: Any, version: int | None = None) -> dict[Any, Any]:
        found: dict[Any, Any] = self._ask("get_many", list(keys), version=version)
        return found

    def has_key(self, key: Any, version: int | None = None) -> bool:
        return bool(self._ask("has_key", key, version=version))

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        return int(self._ask("incr", key, delta, version=version))

    def set_many(
        self, data: dict[Any, Any], timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> list[Any]:
        failed: list[Any] = self._ask("set_many", data, timeout=timeout, version=version)
        return failed

    def delete_many(self, keys: Any, version: int | None = None) -> None:
        self._ask("delete_many", list(keys), version=version)

    def clear(self) -> None:
        self._ask("clear")

    def ask_redis(self) -> None:
        """Ask Redis itself, and nobody in its place. Raises RedisError while it does not answer."""
        self._redis.get("health")

    def _ask(self, method: str, *args: Any, **kwargs: Any) -> Any:
        if time.monotonic() >= _Outage.until:
            try:
                return getattr(self._redis, method)(*args, **kwargs)
            except RedisError as error:
                _Outage.until = time.monotonic() + SECONDS_LEFT_ALONE
                logger.warning(
                    "Redis does not answer (%s): the database's cache is used for %d s.",
                    type(error).__name__,
                    SECONDS_LEFT_ALONE,
                )
        return getattr(caches[FALLBACK], method)(*args, **kwargs)
