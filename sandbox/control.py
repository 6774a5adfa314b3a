"""Control of the sandbox by tests and demos: JSON, under /_sandbox/, without a key."""

import json
import time

from django.http import HttpRequest, JsonResponse

from sandbox import calls, deliveries
from sandbox.billing.collecting import dunning_end, set_dunning_end
from sandbox.courier import courier
from sandbox.database import database
from sandbox.kinds import JSON
from sandbox.weather import UnknownRule, weather

# A delivery under way may hang on a slow receiver; a reset does not wait for ever.
RESET_PATIENCE = 3.0
FLUSH_PATIENCE = 20.0
SHOWN_DELIVERIES = 200


def _refused(message: str) -> JsonResponse:
    return JsonResponse({"error": message}, status=400)


def _given(request: HttpRequest) -> JSON | None:
    try:
        given = json.loads(request.body or b"{}")
    except ValueError:
        return None
    return given if isinstance(given, dict) else None


def reset(request: HttpRequest) -> JsonResponse:
    """Forget everything: objects, deliveries, keys, log, settings, weather.

    With `{"to": name}`, go back to what was kept under that name.
    """
    if request.method != "POST":
        return _refused("Use POST.")
    name = (_given(request) or {}).get("to")
    courier.hold(RESET_PATIENCE)
    try:
        if name is None:
            database.wipe()
        else:
            database.go_back(str(name))
        weather.set([])
    except KeyError:
        return _refused(f"Nothing was kept under {name!r}.")
    finally:
        courier.release()
    return JsonResponse({"reset": True})


def keep(request: HttpRequest) -> JsonResponse:
    """Remember everything but the weather under a name, until the process ends."""
    name = (_given(request) or {}).get("name")
    if request.method != "POST" or not isinstance(name, str):
        return _refused('Send {"name": "…"}.')
    database.keep(name)
    return JsonResponse({"kept": name})


def change_weather(request: HttpRequest) -> JsonResponse:
    """Show the rules of the weather, or (POST) replace them all."""
    if request.method == "POST":
        given = _given(request)
        if given is None or not isinstance(given.get("rules"), list):
            return _refused('Send {"rules": […]}; an empty list clears.')
        try:
            weather.set(given["rules"])
        except UnknownRule as error:
            return _refused(str(error))
    return JsonResponse({"rules": weather.as_json()})


def list_requests(request: HttpRequest) -> JsonResponse:
    """List the API calls since the last reset."""
    return JsonResponse({"requests": calls.everything()})


def change_settings(request: HttpRequest) -> JsonResponse:
    """Show the settings, or (POST) change some of them."""
    if request.method == "POST":
        given = _given(request)
        if given is None or given.keys() - {"dunning_end"}:
            return _refused("The settings are: dunning_end.")
        try:
            set_dunning_end(given.get("dunning_end", dunning_end()))
        except ValueError as error:
            return _refused(str(error))
    return JsonResponse({"dunning_end": dunning_end()})


def list_deliveries(request: HttpRequest) -> JsonResponse:
    """Count deliveries by state and list the newest."""
    return JsonResponse({**deliveries.counts(), "list": deliveries.latest(SHOWN_DELIVERIES)})


def flush_deliveries(request: HttpRequest) -> JsonResponse:
    """Wait until every event was posted that is due, delayed or held back by the weather.

    What was tried and failed is not waited for, unless its next attempt is due.
    """
    deadline = time.monotonic() + FLUSH_PATIENCE
    while time.monotonic() < deadline:
        if _is_quiet():
            return JsonResponse({**deliveries.counts(), "flushed": True})
        time.sleep(0.02)
    return JsonResponse({**deliveries.counts(), "flushed": False})


def _is_quiet() -> bool:
    """Say whether nothing is left to wait for. What is held back is let go when all else went."""
    if not courier.is_idle() or deliveries.due(time.time()):
        return False
    return not deliveries.release_held() and not deliveries.are_untried()
