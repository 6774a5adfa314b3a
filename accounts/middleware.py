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
from django.shortcuts import redirect
from django.utils import timezone, translation
from django.utils.cache import patch_cache_control

from accounts import services
from accounts.http import ViewMiddleware, was_let_in
from accounts.impersonation import current, real_user
from accounts.models import User
from accounts.reader import zone_of, zone_told
from accounts.second_factor import is_kept_from_everything

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


# Names of URLs at which one sets up a second factor, and of what that may need: allauth adds none
# while an address waits to be confirmed, and first asks for the password, which may be forgotten.
# Where it asks, and the ways out, the access gate leaves alone, and so does this.
SETTING_UP = {
    "mfa_index",
    "mfa_activate_totp",
    "mfa_add_webauthn",
    "mfa_view_recovery_codes",
    "mfa_download_recovery_codes",
    "account_email",
    "account_email_verification_sent",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
    "impersonation:stop",
}
# In the session: the page that somebody asked for and was led away from.
WANTED = "wanted"


class SecondFactorMiddleware(ViewMiddleware):
    """Lead whoever must set up a second factor to where that is done, whatever they ask for.

    It stands behind the access gate, which has the first word. Of an impersonation it asks about
    the developer, as the gate. It makes no statement: whether there is one came with the person.
    """

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        person = real_user(request)
        if person is None:
            return None
        is_kept = is_kept_from_everything(person)
        # For the pages, which then offer nothing that would only lead back.
        request.must_set_up_second_factor = is_kept  # type: ignore[attr-defined]
        match = request.resolver_match
        if not was_let_in(request) or (match is not None and match.view_name in SETTING_UP):
            return None
        if not is_kept:
            # They have gone on, to that page or another.
            request.session.pop(WANTED, None)
            return None
        if request.method == "GET":
            request.session[WANTED] = request.get_full_path()
        return redirect("mfa_index")


class LastActiveMiddleware(ViewMiddleware):
    """Have it noted that somebody is active, and in which zone and language they read, for pages
    that the access gate let them in to.

    It stands behind the gate. Most requests cost nothing: what was noted last came with the
    person. The page comes first: what cannot be written at once is left to the next request.
    """

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
