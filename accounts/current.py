"""The request that is being answered, for whoever must know of it without being handed it.

It imports no model, so that logging, which is set up before there are any, can ask it.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from django.http import HttpRequest
from django.utils.functional import LazyObject

# Where the middleware keeps a request's id, in META.
KEY = "holdfast.request_id"

answering: ContextVar[HttpRequest | None] = ContextVar("current_request", default=None)


def current_request() -> HttpRequest | None:
    """Return the request that this thread or task is answering, if any."""
    return answering.get()


def known_ids(request: HttpRequest) -> dict[str, Any]:
    """Return the ids of a request, of its person, their organization and whoever impersonates them.

    Nobody is asked for: before the person was loaded, theirs are None. No statement.
    """
    user = request.__dict__.get("user")
    if isinstance(user, LazyObject):
        # Where Django keeps whom it has loaded.
        user = request.__dict__.get("_cached_user")
    impersonation = request.__dict__.get("impersonation")
    return {
        "request_id": request.META.get(KEY),
        "user_id": getattr(user, "pk", None),
        "organization_id": getattr(user, "organization_id", None),
        **({"impersonator_id": impersonation.by.pk} if impersonation else {}),
    }
