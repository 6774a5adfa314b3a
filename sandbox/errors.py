"""Stripe's errors, in Stripe's shapes."""

from sandbox.kinds import JSON

DOCS = "https://docs.stripe.com/error-codes/"


class StripeError(Exception):
    """An answer other than 200. `keeps_effects` says whether what was done so far stays done."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        keeps_effects: bool = False,
        **details: object,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.keeps_effects = keeps_effects
        self.error: JSON = {"message": message, "type": kind}
        if code is not None:
            self.error |= {"code": code, "doc_url": DOCS + code.replace("_", "-")}
        if param is not None:
            self.error["param"] = param
        self.error |= {key: value for key, value in details.items() if value is not None}

    @property
    def body(self) -> JSON:
        return {"error": self.error}


class ParameterError(StripeError):
    """The request itself is wrong, so nothing was begun (and no idempotency key is spent)."""

    def __init__(self, message: str, *, code: str | None = None, param: str | None = None) -> None:
        super().__init__(400, message, code=code, param=param)


def missing_resource(kind: str, id: str, *, param: str = "id", status: int = 404) -> StripeError:
    """Make the error for an id that does not exist.

    Stripe answers 404 for an id in the address and 400 for one in a parameter.
    """
    name = kind.rpartition(".")[2].replace("_", " ")
    return StripeError(status, f"No such {name}: '{id}'", code="resource_missing", param=param)


def refused(message: str, *, code: str | None = None, param: str | None = None) -> StripeError:
    """Make the 400 for a sound request that the present state forbids."""
    return StripeError(400, message, code=code, param=param)


def declined(message: str, *, code: str, decline_code: str | None, payment: JSON) -> StripeError:
    """Make the 402 of a card that the bank refused."""
    return StripeError(
        402,
        message,
        kind="card_error",
        code=code,
        decline_code=decline_code,
        keeps_effects=True,
        **payment,
    )


def unknown_url(method: str, path: str) -> StripeError:
    return StripeError(
        404,
        f"Unrecognized request URL ({method}: {path}). Please see https://stripe.com/docs or we "
        "can help at https://support.stripe.com/.",
    )


def unauthorized(key: str | None) -> StripeError:
    if not key:
        return StripeError(
            401,
            "You did not provide an API key. You need to provide your API key in the Authorization "
            "header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
        )
    return StripeError(401, f"Invalid API Key provided: {key[:8]}{'*' * 8}{key[-4:]}")


def weathered(status: int) -> StripeError:
    """Make the error that the weather switch asks for."""
    if status == 429:
        return StripeError(
            429,
            "Request rate limit exceeded. Learn more about rate limits here "
            "https://stripe.com/docs/rate-limits.",
            code="rate_limit",
        )
    return StripeError(status, "An unknown error occurred", kind="api_error")
