"""What the forms of the index do: time, weather, settings, and deliveries made once more."""

from django.http import HttpRequest, HttpResponse

from sandbox import clocks, deliveries
from sandbox.billing import timeline
from sandbox.billing.collecting import set_dunning_end
from sandbox.billing.periods import following
from sandbox.hosted import index, pages
from sandbox.hosted.presets import PRESETS
from sandbox.schedule import DAY
from sandbox.weather import weather

MOST_DAYS = 366


@pages.serialized
def move_clock(request: HttpRequest) -> HttpResponse:
    """Move one test clock by days, or by a month."""
    clock = pages.find(clocks.KIND, request.POST.get("clock", ""))
    if request.method != "POST" or clock is None:
        return pages.gone(request, "test clock")
    now = clock.data["frozen_time"]
    if request.POST.get("by") == "month":
        until = following(now, "month", 1, now)
    else:
        days = request.POST.get("days", "")
        if not days.isdecimal() or not 1 <= int(days) <= MOST_DAYS:
            return index.page(request, f"Enter a number of days between 1 and {MOST_DAYS}.")
        until = now + int(days) * DAY
    timeline.advance(clock, until)
    return pages.go("/")


def change_weather(request: HttpRequest) -> HttpResponse:
    """Replace the weather by one of the presets."""
    preset = PRESETS.get(request.POST.get("preset", ""))
    if request.method != "POST" or preset is None:
        return pages.gone(request, "weather")
    weather.set(list(preset.rules))
    return pages.go("/#weather")


def change_settings(request: HttpRequest) -> HttpResponse:
    """Choose what becomes of a subscription whose payment failed for good."""
    try:
        set_dunning_end(request.POST.get("dunning_end", ""))
    except ValueError:
        return pages.gone(request, "setting")
    return pages.go("/#settings")


@pages.serialized
def send_again(request: HttpRequest, seq: int) -> HttpResponse:
    if request.method != "POST" or not deliveries.send_again(seq):
        return pages.gone(request, "delivery to send again")
    return pages.go("/#deliveries")
