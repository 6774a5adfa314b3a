from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts import services
from accounts.http import was_let_in
from accounts.impersonation import current
from accounts.models import User

logger = logging.getLogger(__name__)


class LastActiveMiddleware:
    """Have it noted that somebody is active, for pages that the access gate let them in to.

    It stands behind the gate. Most requests cost nothing: when it was noted last came with the
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
        except DatabaseError as error:
            logger.warning("Activity of person %d was not noted: %s", request.user.pk, error)
