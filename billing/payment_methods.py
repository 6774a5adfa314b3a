"""What is kept of a payment method: enough to know it by, and nobody's name or address. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

Brief = dict[str, Any]

# Those that have no brand. What is not here is a name of its own, as Link and PayPal are.
TYPES: Final[dict[str, str | Promise]] = {
    "acss_debit": gettext_lazy("Pre-authorized debit"),
    "bacs_debit": gettext_lazy("Bacs direct debit"),
    "card": gettext_lazy("Card"),
    "customer_balance": gettext_lazy("Bank transfer"),
    "sepa_debit": gettext_lazy("SEPA direct debit"),
    "us_bank_account": gettext_lazy("US bank account"),
}


def brief(method: Mapping[str, Any]) -> Brief:
    """Return the id, the type, and of a card or account its brand, last digits and expiry."""
    kind = str(method["type"])
    details = method.get(kind) or {}
    return {
        "id": method["id"],
        "type": kind,
        "brand": details.get("display_brand") or details.get("brand") or "",
        "last4": details.get("last4") or "",
        "exp_month": details.get("exp_month"),
        "exp_year": details.get("exp_year"),
    }


def words_of(method: Mapping[str, Any]) -> str:
    """Return what people know it by: "Visa ending in 4242"."""
    name = method["brand"] or method["type"]
    words = str(TYPES.get(name) or name.replace("_", " ").capitalize())
    if not method["last4"]:
        return words
    return _("%(brand)s ending in %(last4)s") % {"brand": words, "last4": method["last4"]}


def valid_until(method: Mapping[str, Any]) -> str:
    """Return the month that is written on a card, "08/2030"; nothing of what does not expire."""
    return "" if expires_at(method) is None else f"{method['exp_month']:02}/{method['exp_year']}"


def expires_at(method: Mapping[str, Any] | None) -> datetime | None:
    """Return when a card is no longer good: the end of the month that is written on it."""
    if method is None or not method.get("exp_month") or not method.get("exp_year"):
        return None
    month, year = method["exp_month"], method["exp_year"]
    return datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
