from __future__ import annotations

from djstripe.settings import djstripe_settings

SYMBOLS = {"eur": "€", "usd": "$", "gbp": "£", "jpy": "¥"}

# Whose smallest unit is a thousandth.
THREE_DECIMALS = {"bhd", "jod", "kwd", "omr", "tnd"}


def major_units(amount: int, currency: str) -> float:
    """Return an amount of minor units in those that people count in: 1950 eur is 19.5."""
    if currency.lower() in djstripe_settings.ZERO_DECIMAL_CURRENCIES:
        return amount
    return amount / (1000 if currency.lower() in THREE_DECIMALS else 100)


def format_money(amount: int, currency: str) -> str:
    """Return an amount of minor units as people write it: 1900 eur is €19, 1950 is €19.50."""
    currency, sign, amount = currency.lower(), "-" if amount < 0 else "", abs(amount)
    if currency in djstripe_settings.ZERO_DECIMAL_CURRENCIES:
        number = f"{amount:,}"
    elif currency in THREE_DECIMALS:
        number = f"{major_units(amount, currency):,.3f}".removesuffix(".000")
    else:
        number = f"{major_units(amount, currency):,.2f}".removesuffix(".00")
    symbol = SYMBOLS.get(currency)
    return f"{sign}{symbol}{number}" if symbol else f"{sign}{number} {currency.upper()}"
