"""Where one is logged in, and how one logs out elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import Any

from allauth.account.decorators import reauthentication_required
from allauth.account.signals import authentication_step_completed
from allauth.usersessions.models import UserSession
from allauth.usersessions.views import ListUserSessionsView
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, update_session_auth_hash
from django.dispatch import receiver
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
        person = self.request.user
        assert isinstance(person, User)
        # Django gives a session another key when the secret key has changed, and tells nobody.
        UserSession.objects.create_from_request(self.request)
        # Past allauth's, which would ask Django for the person of each session: that gives it
        # another key as well, and so ends it in the browser that has it.
        context: dict[str, Any] = super(ListUserSessionsView, self).get_context_data(**kwargs)
        context["sessions"] = [
            OpenSession(
                device=device_name(each.user_agent),
                address=None if is_nobodys(each.ip) else each.ip,
                began_at=each.created_at,
                is_current=each.is_current(),
            )
            for each in _open_sessions(person)
        ]
        context["session_count"] = len(context["sessions"])
        return context

    def form_valid(self, form: Any) -> HttpResponse:
        """End the others, those as well that the list does not know of."""
        person = self.request.user
        assert isinstance(person, User)
        response: HttpResponse = super().form_valid(form)
        keep_session(self.request, services.end_other_sessions(person=person, by=person))
        return response


def _open_sessions(person: User) -> list[UserSession]:
    """Return those that are open, the oldest first, and take the others from the list."""
    engine = import_module(settings.SESSION_ENGINE)
    found = []
    for each in UserSession.objects.filter(user=person).order_by("created_at"):
        told = engine.SessionStore(each.session_key).get(HASH_SESSION_KEY, "")
        if person.is_session_hash(told):
            found.append(each)
        else:
            each.delete()
    return found


@receiver(authentication_step_completed)
def _renew_after_proof(request: HttpRequest, reauthenticated: bool = False, **kwargs: Any) -> None:
    """Have whoever knew the session's key before not share in what was proved now."""
    if not reauthenticated:
        return
    before = request.session.session_key
    request.session.cycle_key()
    UserSession.objects.filter(session_key=before).update(session_key=request.session.session_key)


def keep_session(request: HttpRequest, person: User) -> None:
    """Have the session of this request go on, after all of this person's were ended."""
    update_session_auth_hash(request, person)
    # It has a new key now, by which the list must know it.
    UserSession.objects.create_from_request(request)
