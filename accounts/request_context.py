"""The request that is being answered, for whoever writes the log: who asks, from where, with what.

Services get no request. What a line of the log says of it is taken from here, so that no caller
can forget it; outside a request, as in commands and tasks, there is nothing to say.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse

from accounts.current import KEY, answering, current_request
from accounts.http import client_address
from accounts.impersonation import impersonator_id

DEVICE = "HTTP_USER_AGENT"
# The longest name of a device that is kept.
DEVICE_LENGTH = 200
# Whoever stands in front of us may have named the request already; what else is sent is ignored.
REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,64}", re.ASCII)


@dataclass(frozen=True)
class RequestFacts:
    """What a line of the log keeps of the request in which it was written."""

    request_id: str = ""
    ip_address: str | None = None
    device: str = ""
    impersonator_id: int | None = None


def current_facts() -> RequestFacts:
    """Return what the log keeps of the current request; nothing outside one."""
    request = current_request()
    if request is None:
        return RequestFacts()
    return RequestFacts(
        request_id=request.META[KEY],
        ip_address=client_address(request),
        device=request.META.get(DEVICE, "")[:DEVICE_LENGTH],
        impersonator_id=impersonator_id(request),
    )


class RequestContextMiddleware:
    """Name each request, and have the log know of it while it is answered."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        named = request.headers.get("X-Request-ID", "")
        request_id = named if REQUEST_ID.fullmatch(named) else uuid.uuid4().hex
        request.META[KEY] = request_id
        if DEVICE in request.META:
            # The list of sessions keeps it too, and PostgreSQL stores no NUL.
            request.META[DEVICE] = request.META[DEVICE].replace("\x00", "")
        token = answering.set(request)
        try:
            response = self.get_response(request)
        finally:
            answering.reset(token)
        response["X-Request-ID"] = request_id
        return response
