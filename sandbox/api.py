"""The front door of the API: one view for every call under /v1."""

import base64
import binascii
import socket
import time
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse, JsonResponse

from sandbox import calls, idempotency, nonsense
from sandbox.database import database
from sandbox.encoding import Raw, decode
from sandbox.errors import ParameterError, StripeError, unauthorized, unknown_url, weathered
from sandbox.events import current_request
from sandbox.expand import expanded
from sandbox.idempotency import Answer
from sandbox.ids import new_id
from sandbox.kinds import JSON
from sandbox.routes import ROUTES
from sandbox.routing import Route
from sandbox.settings import API_VERSION
from sandbox.weather import CallRule, weather

KEY_PREFIX = "sk_test_"


@dataclass(frozen=True)
class Call:
    """One request to the API, decoded but not yet checked."""

    id: str
    method: str
    path: str
    key: str | None
    raw: dict[str, Raw]


def view(request: HttpRequest) -> HttpResponse:
    """Answer one call of the API, in whatever weather there is."""
    call = _read(request)
    number = calls.record(call.method, call.path, call.key, call.raw)
    rule = weather.strike_call(call.method, call.path)
    if rule is not None and rule.delay_ms:
        time.sleep(rule.delay_ms / 1000)
    answer = _struck(rule) if rule is not None and not rule.after_effect else None
    answer = answer or answer_to(call, request.headers.get("Authorization", ""))
    if rule is not None and rule.after_effect:
        answer = _struck(rule) or answer
    is_dropped = rule is not None and rule.drop
    calls.answered(number, None if is_dropped else answer.status)
    if is_dropped:
        _drop(request)
    if rule is not None and rule.nonsense:
        return HttpResponse(nonsense.PAGE)
    return _response(call, answer)


def _read(request: HttpRequest) -> Call:
    text = request.META.get("QUERY_STRING", "")
    body = request.body.decode(errors="replace")
    return Call(
        id=new_id("req", 14),
        method=request.method or "GET",
        path=request.path,
        key=request.headers.get("Idempotency-Key"),
        raw=decode("&".join(part for part in (text, body) if part)),
    )


def _struck(rule: CallRule) -> Answer | None:
    if rule.drop:
        return Answer(500, weathered(500).body)
    if rule.nonsense:
        return Answer(200, {})
    return Answer(rule.status, weathered(rule.status).body) if rule.status else None


def _drop(request: HttpRequest) -> None:
    """Break the connection, as a network does: the answer reaches nobody."""
    connection: socket.socket = request.META["sandbox.connection"]
    connection.shutdown(socket.SHUT_RDWR)


def _response(call: Call, answer: Answer) -> HttpResponse:
    response = JsonResponse(answer.body, status=answer.status, json_dumps_params={"indent": 2})
    response["Request-Id"] = call.id
    response["Stripe-Version"] = API_VERSION
    if call.key is not None:
        response["Idempotency-Key"] = call.key
    if answer.is_replay:
        response["Idempotent-Replayed"] = "true"
    return response


def answer_to(call: Call, authorization: str) -> Answer:
    """Answer a call, once for an idempotency key, errors included."""
    try:
        _authenticate(authorization)
        route, ids = _route(call)
        if call.key is None or call.method == "GET":
            return _execute(call, route, ids)
        digest = idempotency.fingerprint(call.method, call.path, call.raw)
        with database.transaction():
            known = idempotency.recall(call.key, digest)
            return known or _execute(call, route, ids, digest)
    except StripeError as error:
        return Answer(error.status, error.body)


def _authenticate(authorization: str) -> None:
    scheme, _, given = authorization.partition(" ")
    key = given.strip()
    if scheme.lower() == "basic":
        try:
            key = base64.b64decode(given, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            key = ""
    if not key.startswith(KEY_PREFIX):
        raise unauthorized(key)


def _route(call: Call) -> tuple[Route, dict[str, str]]:
    for route in ROUTES:
        match = route.pattern.match(call.path) if route.method == call.method else None
        if match is not None:
            return route, match.groupdict()
    raise unknown_url(call.method, call.path)


def _execute(call: Call, route: Route, ids: dict[str, str], digest: str | None = None) -> Answer:
    """Check the parameters and do the work, all of it or nothing.

    What a wrong parameter is answered does not spend the idempotency key; later errors do.
    """
    params = route.params.parse(call.raw)
    paths = params.pop("expand", [])
    token = current_request.set({"id": call.id, "idempotency_key": call.key})
    try:
        answer = _work(route, params, ids, paths)
    finally:
        current_request.reset(token)
    if call.key is not None and digest is not None:
        idempotency.remember(call.key, digest, answer)
    return answer


def _work(route: Route, params: JSON, ids: dict[str, str], paths: list[str]) -> Answer:
    try:
        with database.savepoint():
            try:
                return Answer(200, expanded(route.handler(params, **ids), paths))
            except StripeError as error:
                if not error.keeps_effects:
                    raise
                return Answer(error.status, error.body)
    except ParameterError:
        raise
    except StripeError as error:
        return Answer(error.status, error.body)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer a bug of the sandbox as Stripe answers its own."""
    return JsonResponse(weathered(500).body, status=500)
