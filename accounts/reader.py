"""In which zone and language somebody reads: as their browser says, or said last."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone, translation

from accounts.models import User

COOKIE = "time_zone"


@cache
def _known() -> frozenset[str]:
    return frozenset(available_timezones())


def zone_named(name: str) -> ZoneInfo | None:
    """Return the zone of this name; of what is no name of one, none."""
    return ZoneInfo(name) if name in _known() else None


def zone_told(request: HttpRequest) -> ZoneInfo | None:
    """Return the zone that the browser says it is in, if it says one that there is."""
    # As static/zone.js calls it.
    name = f"__Host-{COOKIE}" if request.is_secure() else COOKIE
    return zone_named(request.COOKIES.get(name, ""))


def zone_of(request: HttpRequest) -> ZoneInfo | None:
    """Return the zone in which whoever asks reads; none where nothing tells it.

    It is the browser's, which an impersonator has as well, or that in which the person was last.
    """
    told = zone_told(request)
    if told is None and isinstance(request.user, User):
        return zone_named(request.user.time_zone)
    return told


@contextmanager
def reading_as(person: User) -> Iterator[None]:
    """Say in this person's zone and language what is rendered meanwhile, as a mail to them."""
    language = person.language if person.language in dict(settings.LANGUAGES) else ""
    zone = zone_named(person.time_zone)
    with (
        translation.override(language or settings.LANGUAGE_CODE),
        timezone.override(zone or timezone.get_default_timezone()),
    ):
        yield
