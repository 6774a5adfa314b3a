"""What a signed-in request looks like to the type checker."""

from django.http import HttpRequest

from accounts.models import User


class AuthenticatedHttpRequest(HttpRequest):
    user: User


def client_address(request: HttpRequest) -> str | None:
    """Return the address of the other end of the connection; None behind a Unix socket.

    Headers are not believed: a proxy in front must set REMOTE_ADDR.
    """
    return request.META.get("REMOTE_ADDR") or None


def let_in(request: HttpRequest) -> None:
    """Remember that the access gate let the person of this request in to a page."""
    request.__dict__["was_let_in"] = True


def was_let_in(request: HttpRequest) -> bool:
    """Whether the access gate was asked about this request, and let its person in.

    It is not asked for the ways out, such as log-out, nor where there is nobody.
    """
    return bool(request.__dict__.get("was_let_in"))
