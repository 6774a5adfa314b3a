from __future__ import annotations

from djstripe.settings import djstripe_settings

SYMBOLS = {"eur": "€", "usd": "$", "gbp": "£", "jpy": "¥"}

# Whose smallest unit is a thousandth.
THREE_DECIMALS = {"bhd", "jod", "kwd", "omr", "tnd"}


def format_money(amount: int, currency: str) -> str:
    """Return an amount of minor units as people write it: 1900 eur is €19, 1950 is €19.50."""
    currency, sign, amount = currency.lower(), "-" if amount < 0 else "", abs(amount)
    if currency in djstripe_settings.ZERO_DECIMAL_CURRENCIES:
        number = f"{amount:,}"
    elif currency in THREE_DECIMALS:
        number = f"{amount / 1000:,.3f}".removesuffix(".000")
    else:
        number = f"{amount / 100:,.2f}".removesuffix(".00")
    symbol = SYMBOLS.get(currency)
    return f"{sign}{symbol}{number}" if symbol else f"{sign}{number} {currency.upper()}"
