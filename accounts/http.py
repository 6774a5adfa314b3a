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
