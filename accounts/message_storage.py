"""Where the messages to a person are kept until a page shows them: in a cookie, as Django does."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.messages.storage import cookie, fallback
from django.contrib.messages.storage.session import SessionStorage


class CookieStorage(cookie.CookieStorage):
    """Under a name that no neighbour under the same domain can set."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.cookie_name = f"{settings.COOKIE_PREFIX}messages"


class MessageStorage(fallback.FallbackStorage):
    """What is too long for a cookie goes into the session."""

    storage_classes = (CookieStorage, SessionStorage)
