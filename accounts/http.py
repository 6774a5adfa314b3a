"""What a signed-in request looks like to the type checker, and where a request comes from."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from ipaddress import IPv6Address, IPv6Network, ip_address

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from accounts.models import User

# Set aside for documentation (RFC 3849): nobody has an address of this range.
NOBODYS_ADDRESSES = IPv6Network("2001:db8::/32")


class AuthenticatedHttpRequest(HttpRequest):
    user: User


class ViewMiddleware:
    """A middleware that does all it does in `process_view`, once it is known what is asked for."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)


def client_address(request: HttpRequest) -> str | None:
    """Return the address that this request comes from; None where nothing we trust tells it.

    Headers are believed as far as the settings say that a proxy of ours wrote them:
    CLIENT_ADDRESS_HEADER names one, or TRUSTED_PROXIES says how many entries at the end of
    X-Forwarded-For are ours. What stands before those, anybody may have written.
    """
    told = ""
    if settings.CLIENT_ADDRESS_HEADER:
        told = request.headers.get(settings.CLIENT_ADDRESS_HEADER, "")
    elif settings.TRUSTED_PROXIES:
        hops = request.headers.get("X-Forwarded-For", "").split(",")
        told = hops[-settings.TRUSTED_PROXIES :][0]
    # Who comes past the proxies is at the other end of the connection.
    return _parse(told) or _parse(request.META.get("REMOTE_ADDR", ""))


def address_for_limits(request: HttpRequest) -> str:
    """Return client_address; where there is none, an address of nobody's, another each time.

    Limits that count by address then hold nobody up, instead of everybody together. Those that
    count by account hold all the same.
    """
    return client_address(request) or str(
        # Another /64 each time, because that is what limits take for one address.
        IPv6Address(int(NOBODYS_ADDRESSES.network_address) + (secrets.randbits(32) << 64))
    )


def is_nobodys(address: str) -> bool:
    """Whether it is one that stands for an address that is not known."""
    return ip_address(address) in NOBODYS_ADDRESSES


def _parse(text: str) -> str | None:
    """Return an address without port, brackets and zone; an IPv4 one in IPv6's clothes as IPv4.

    All those in clothes would otherwise be one address to limits: they share a /64.
    """
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return str(getattr(address, "ipv4_mapped", None) or address)


def let_in(request: HttpRequest) -> None:
    """Remember that the access gate let the person of this request in to a page."""
    request.__dict__["was_let_in"] = True


def was_let_in(request: HttpRequest) -> bool:
    """Whether the access gate was asked about this request, and let its person in.

    It is not asked for the ways out, such as log-out, nor where there is nobody.
    """
    return bool(request.__dict__.get("was_let_in"))
