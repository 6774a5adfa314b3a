"""Amounts as people write them: by the active language, by the currency, by Stripe's units."""

from __future__ import annotations

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from billing.money import THREE_DECIMALS, format_money
from billing.revenue import signed_money

CURRENCIES = ["eur", "usd", "gbp", "jpy", "krw", "isk", "chf", "kwd", "brl"]
LANGUAGES = ["en", "de", "ja", "fr", "pt-br", "zh-hans"]


@pytest.mark.parametrize(
    ("amount", "currency", "words"),
    [
        (1900, "eur", "€19"),
        (1950, "eur", "€19.50"),
        (-1950, "usd", "-$19.50"),
        (5, "gbp", "£0.05"),
        (123_456_789, "eur", "€1,234,567.89"),
        (0, "eur", "€0"),
        # No decimals, at Stripe neither.
        (1900, "jpy", "¥1,900"),
        (1900, "krw", "₩1,900"),
        (1900, "vnd", "₫1,900"),
        # No decimals any more, and two at Stripe.
        (500, "isk", "ISK 5"),
        (500, "ugx", "UGX 5"),
        # Two decimals elsewhere, and none at Stripe.
        (1900, "mga", "MGA 1,900"),
        # Three.
        (1950, "kwd", "KWD 1.950"),
        (2000, "bhd", "BHD 2"),
        # Those without a sign of their own.
        (1900, "chf", "CHF 19"),
        (-1900, "CHF", "-CHF 19"),
    ],
)
def test_in_english(amount: int, currency: str, words: str) -> None:
    assert format_money(amount, currency).replace("\xa0", " ") == words


@pytest.mark.parametrize(
    ("language", "amount", "currency", "words"),
    [
        ("de", 1950, "eur", "19,50 €"),
        ("de", 1900, "eur", "19 €"),
        ("de", -123_456, "eur", "-1.234,56 €"),
        ("de", 1900, "jpy", "1.900 ¥"),
        ("ja", 1900, "jpy", "￥1,900"),
        ("ja", 1950, "usd", "$19.50"),
        ("ko", 1900, "krw", "₩1,900"),
        ("is", 500_000, "isk", "5.000 kr."),
        ("pt-br", 1950, "brl", "R$ 19,50"),
        ("de-ch", 1950, "chf", "CHF 19.50"),
        # What CLDR does not know is written as its base language does, or as English.
        ("de-xa", 1950, "eur", "19,50 €"),
        ("xx", 1950, "eur", "€19.50"),
    ],
)
def test_in_other_languages(language: str, amount: int, currency: str, words: str) -> None:
    with translation.override(language):
        assert format_money(amount, currency).replace("\xa0", " ") == words


def test_where_no_language_is_active_it_is_that_of_the_settings() -> None:
    with translation.override(None):
        assert format_money(1950, "eur") == "€19.50"


def test_a_change_has_its_sign() -> None:
    assert [signed_money(amount, "eur") for amount in (1900, -1950, 0)] == ["+€19", "-€19.50", "€0"]


@given(
    amount=st.integers(-(10**9), 10**9),
    currency=st.sampled_from(CURRENCIES),
    language=st.sampled_from(LANGUAGES),
)
def test_every_digit_of_an_amount_is_written_once(
    amount: int, currency: str, language: str
) -> None:
    """Whatever the language, nothing is rounded and no decimal is lost."""
    with translation.override(language):
        text = format_money(amount, currency)
    digits = int("".join(each for each in text if each.isdigit()))
    decimals = 0 if currency in ("jpy", "krw") else 3 if currency in THREE_DECIMALS else 2
    assert digits in (abs(amount), abs(amount) / 10**decimals)
    assert ("-" in text) == (amount < 0)
