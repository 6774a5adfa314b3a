"""Where one is logged in, and how one logs out elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from allauth.account.decorators import reauthentication_required
from allauth.usersessions.models import UserSession
from allauth.usersessions.views import ListUserSessionsView
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator

from accounts import services
from accounts.devices import device_name
from accounts.http import is_nobodys
from accounts.models import User


@dataclass(frozen=True)
class OpenSession:
    device: str
    # None: not known.
    address: str | None
    began_at: datetime
    is_current: bool


@method_decorator(reauthentication_required(allow_get=True), name="dispatch")
class SessionsView(ListUserSessionsView):
    """allauth's list, which is looked at freely; ending the others needs proof of who one is."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        context["sessions"] = [
            OpenSession(
                device=device_name(each.user_agent),
                address=None if is_nobodys(each.ip) else each.ip,
                began_at=each.created_at,
                is_current=each.is_current(),
            )
            for each in context["sessions"]
        ]
        return context

    def form_valid(self, form: Any) -> HttpResponse:
        """End the others, those as well that the list does not know of."""
        person = self.request.user
        assert isinstance(person, User)
        response: HttpResponse = super().form_valid(form)
        keep_session(self.request, services.end_other_sessions(person=person, by=person))
        return response


def keep_session(request: HttpRequest, person: User) -> None:
    """Have the session of this request go on, after all of this person's were ended."""
    update_session_auth_hash(request, person)
    # It has a new key now, by which the list must know it.
    UserSession.objects.create_from_request(request)
