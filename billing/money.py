from __future__ import annotations

from djstripe.settings import djstripe_settings

SYMBOLS = {"eur": "€", "usd": "$", "gbp": "£", "jpy": "¥"}


def format_money(amount: int, currency: str) -> str:
    """Return an amount of minor units as people write it: 1900 eur is €19, 1950 is €19.50."""
    currency = currency.lower()
    if currency in djstripe_settings.ZERO_DECIMAL_CURRENCIES:
        number = f"{amount:,}"
    else:
        number = f"{amount / 100:,.2f}".removesuffix(".00")
    symbol = SYMBOLS.get(currency)
    return f"{symbol}{number}" if symbol else f"{number} {currency.upper()}"
