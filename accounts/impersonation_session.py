"""Switches a session to another person and back, by django-hijack. Each time it is a new one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import rotate_token
from django.utils import timezone
from hijack.views import AcquireUserView, ReleaseUserView

from accounts import impersonation_services as services
from accounts.impersonation import Impersonation, impersonator_id, switching
from accounts.impersonation_services import Ending
from accounts.models import User

# What is kept in the session beside django-hijack's history.
DETAILS = "impersonation"


class ImpersonationOver(Exception):
    """The session's impersonation has ended; the session is gone, and nobody is signed in."""


@transaction.atomic
def begin(request: HttpRequest, *, person: User, reason: str) -> None:
    """Go on with this session as `person`, whose key the form has sent as `user_pk`.

    Raises an ImpersonationRefused.
    """
    by = request.user
    assert isinstance(by, User)
    ends_at = services.start_impersonation(person=person, by=by, reason=reason, now=timezone.now())
    _switch(request, AcquireUserView.as_view())
    request.session[DETAILS] = {
        "reason": reason.strip(),
        "ends_at": ends_at.isoformat(),
        # Whoever is thrown out must not live on in another's session.
        "by": by.get_session_auth_hash(),
    }


@transaction.atomic
def give_back(request: HttpRequest, impersonation: Impersonation) -> None:
    """Go on as the impersonator, who was found to be still allowed in at this very request."""
    services.end_impersonation(
        person=impersonation.person, by=impersonation.by, because=Ending.STOPPED
    )
    _switch(request, ReleaseUserView.as_view())


def _switch(request: HttpRequest, view: Callable[..., HttpResponse]) -> None:
    """Have one of django-hijack's views change who is signed in, and end what other tabs hold."""
    with switching(request):
        view(request)
    # Again: the first new token went out with the view's own answer, which nobody gets.
    rotate_token(request)


def abandon(request: HttpRequest, *, person: User, by: User, because: Ending) -> None:
    """End it otherwise than by the button: whoever did it has to log in again."""
    services.end_impersonation(person=person, by=by, because=because)
    # Without Django's `logout`, which would tell its receivers that the person logged out.
    request.session.flush()
    request.user = AnonymousUser()


def resume(request: HttpRequest, now: datetime) -> Impersonation | None:
    """Return the impersonation that this session is, if it is one.

    Raises ImpersonationOver when it is one that may not go on.
    """
    by_id = impersonator_id(request)
    if by_id is None:
        return None
    # Before the person is asked for: Django then drops a session of theirs that was ended.
    details, person_id = request.session[DETAILS], int(request.session[SESSION_KEY])
    person = request.user
    by = User.objects.get_queryset().with_access().filter(pk=by_id).first()
    ends_at = datetime.fromisoformat(details["ends_at"])
    if isinstance(person, User) and by is not None and now < ends_at:
        is_as_it_was = by.is_session_hash(details["by"])
        if is_as_it_was and services.may_impersonate(hijacker=by, hijacked=person):
            return Impersonation(person, by, details["reason"], ends_at)
    if not isinstance(person, User):
        because = Ending.PERSON_LOGGED_OUT
    else:
        because = Ending.EXPIRED if now >= ends_at else Ending.NOT_ALLOWED
    # Rows that are gone leave their keys to the log.
    person = User.objects.filter(pk=person_id).first() or User(pk=person_id)
    abandon(request, person=person, by=by or User(pk=by_id), because=because)
    raise ImpersonationOver
