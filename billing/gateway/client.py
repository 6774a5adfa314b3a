"""The client of Stripe's SDK, and how its answers and errors leave this room."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache, wraps
from typing import Any, ParamSpec, TypeVar

import requests
import stripe
from django.conf import settings

StripeJson = dict[str, Any]
P = ParamSpec("P")
R = TypeVar("R")

PAGE_SIZE = 100
OUTAGES = (
    stripe.APIConnectionError,
    stripe.APIError,
    stripe.AuthenticationError,
    stripe.RateLimitError,
)


class BillingUnavailable(Exception):
    """Stripe could not be asked, or refused. Nothing was decided; the work can be repeated.

    `is_outage` tells that it would go the same with any other request at this moment.
    """

    def __init__(self, message: str, *, is_outage: bool = False) -> None:
        super().__init__(message)
        self.is_outage = is_outage


class PriceNotSold(Exception):
    """Stripe no longer sells at this price: it was archived."""


def translated(call: Callable[P, R]) -> Callable[P, R]:
    """Turn whatever Stripe's SDK raises into BillingUnavailable."""

    @wraps(call)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return call(*args, **kwargs)
        except stripe.StripeError as error:
            raise BillingUnavailable(str(error), is_outage=isinstance(error, OUTAGES)) from error

    return wrapped


class _Session(requests.Session):
    """Takes a redirect for the answer, which is then none of Stripe's.

    Stripe has none, and what was asked would be sent on to wherever it leads.
    """

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


@lru_cache(maxsize=4)
def _make_client(key: str, host: str | None, timeout: int, retries: int) -> stripe.StripeClient:
    return stripe.StripeClient(
        key,
        stripe_version=settings.STRIPE_API_VERSION,
        base_addresses={"api": host} if host else {},
        max_network_retries=retries,
        http_client=stripe.RequestsClient(timeout=timeout, session=_Session()),
    )


def api() -> Any:
    """Return the SDK's client for the configured key. Raises BillingUnavailable without one."""
    # Any: the SDK types each parameter as a TypedDict of its own, and each answer as an object
    # whose attributes move with its releases. What leaves this module is plain JSON.
    if not settings.STRIPE_SECRET_KEY:
        raise BillingUnavailable("STRIPE_SECRET_KEY is not set", is_outage=True)
    return _make_client(
        settings.STRIPE_SECRET_KEY,
        getattr(settings, "STRIPE_API_HOST", None),
        settings.STRIPE_TIMEOUT,
        settings.STRIPE_MAX_NETWORK_RETRIES,
    ).v1


def as_json(answer: Any) -> StripeJson:
    plain: StripeJson = answer.to_dict(for_json=True)
    return plain


def every(page: Any) -> Iterator[StripeJson]:
    return (as_json(item) for item in page.auto_paging_iter())


def or_none(call: Callable[[], Any]) -> StripeJson | None:
    try:
        return as_json(call())
    except stripe.InvalidRequestError as error:
        if error.code == "resource_missing":
            return None
        raise
