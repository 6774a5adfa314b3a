from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from allauth.account.authentication import get_authentication_records
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from django.utils.cache import patch_cache_control

from accounts import services
from accounts.http import was_let_in
from accounts.impersonation import current
from accounts.models import User
from accounts.reader import zone_of, zone_told

logger = logging.getLogger(__name__)


class SessionAgeMiddleware:
    """End a session that began long ago: each proof of who it is prolongs one, and none for ever.

    It stands behind the person and the impersonation, which asks first. When the session began came
    with it, so it makes no statement.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        records = get_authentication_records(request, request.user)
        if records and time.time() - records[0]["at"] > settings.SESSION_LASTS_AT_MOST:
            # Without Django's `logout`, which would tell the log that the person did it.
            request.session.flush()
            request.user = AnonymousUser()
        return self.get_response(request)


class NoStoreMiddleware:
    """Have no browser and no proxy keep what somebody signed in was shown: after log-out, the way
    back leads to nothing. It stands behind the person, and makes no statement."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        # An error shows nothing of anybody, and where the database is out of reach, to ask it who
        # that is would wait for it once more.
        if response.status_code < 500 and request.user.is_authenticated:
            patch_cache_control(response, no_store=True)
        return response


class TimeZoneMiddleware:
    """Show times in the zone of whoever reads them; in UTC where nothing tells it.

    It stands behind the person and the impersonation. It makes no statement: where the browser
    tells no zone, the person's last one came with them.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with timezone.override(zone_of(request) or timezone.get_default_timezone()):
            return self.get_response(request)


class LastActiveMiddleware:
    """Have it noted that somebody is active, and in which zone and language they read, for pages
    that the access gate let them in to.

    It stands behind the gate. Most requests cost nothing: what was noted last came with the
    person. The page comes first: what cannot be written at once is left to the next request.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Any, kwargs: Any
    ) -> None:
        if not was_let_in(request) or current(request) is not None:
            return
        assert isinstance(request.user, User)
        try:
            services.note_activity(person=request.user, now=timezone.now())
            _note_reading(request, request.user)
        except DatabaseError as error:
            words = "Activity of person %d was not noted: %s"
            logger.warning(words, request.user.pk, type(error).__name__)


def _note_reading(request: HttpRequest, person: User) -> None:
    zone, language = zone_told(request), translation.get_language() or ""
    services.note_reading(
        person=person,
        time_zone=zone.key if zone else person.time_zone,
        language="" if language == settings.LANGUAGE_CODE else language,
    )
