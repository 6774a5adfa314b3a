"""Times on pages and in mails, with the zone that they are in."""

from __future__ import annotations

from datetime import datetime

from django import template

from accounts import times

register = template.Library()


@register.filter
def day_and_time(moment: datetime | None) -> str:
    return times.day_and_time(moment) if moment else ""


@register.filter
def minute(moment: datetime | None) -> str:
    return times.minute(moment) if moment else ""


@register.filter
def second(moment: datetime | None) -> str:
    return times.second(moment) if moment else ""
