"""Amounts as whoever reads them writes them: by the active language and the currency."""

from __future__ import annotations

import re
from copy import copy
from decimal import Decimal
from functools import cache

from babel import Locale, UnknownLocaleError
from django.conf import settings
from django.utils.translation import get_language
from djstripe.settings import djstripe_settings

# Whose smallest unit is a thousandth.
THREE_DECIMALS = {"bhd", "jod", "kwd", "omr", "tnd"}
# CLDR's rule for currencies that are written in letters, which Babel leaves out: CHF 19.
LETTERS_BEFORE_DIGITS = re.compile(r"(?<=[^\W\d_])(?=\d)")


def major_units(amount: int, currency: str) -> Decimal:
    """Return an amount of Stripe's minor units in those that people count in: 1950 eur is 19.5."""
    return Decimal(amount).scaleb(-_digits(currency))


def format_money(amount: int, currency: str) -> str:
    """Return an amount of Stripe's minor units as people write it.

    1900 eur is €19 and 1950 is €19.50 in English, "19,50 €" in German. How many minor units make
    one is Stripe's word (https://docs.stripe.com/currencies#minor-units), and not CLDR's: isk and
    ugx have no decimals any more, and still come in hundredths; mga has fifths, and comes whole.
    """
    digits = _digits(currency)
    value = major_units(amount, currency)
    locale = _locale(get_language() or settings.LANGUAGE_CODE)
    pattern = copy(locale.currency_formats["standard"])
    pattern.frac_prec = (0, 0) if value == value.to_integral_value() else (digits, digits)
    text = pattern.apply(value, locale, currency=currency.upper(), currency_digits=False)
    return LETTERS_BEFORE_DIGITS.sub("\N{NO-BREAK SPACE}", text)


def _digits(currency: str) -> int:
    currency = currency.lower()
    if currency in djstripe_settings.ZERO_DECIMAL_CURRENCIES:
        return 0
    return 3 if currency in THREE_DECIMALS else 2


@cache
def _locale(language: str) -> Locale:
    """Return the locale of a language of Django's; of one that CLDR does not know, its base's."""
    for name in (language, language.split("-")[0]):
        try:
            return Locale.parse(name, sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    return Locale("en")
