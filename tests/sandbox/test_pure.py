"""What needs no process: encoding, periods, proration, signatures, and the validation itself."""

import hashlib
import hmac
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.billing import cards, lines
from sandbox.billing.cards import Behaviour, InvalidNumber
from sandbox.billing.periods import following
from sandbox.courier import signature
from sandbox.deliveries import LONGEST_WAIT, wait_after
from sandbox.encoding import decode
from sandbox.events import difference
from tests.sandbox.schemas import NotAsDescribed, validate


def moment(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def test_nested_forms_become_nested_values() -> None:
    decoded = decode("items[0][price]=a&items[1][price]=b&expand[]=x&expand[]=y&metadata[k]=&n=1")

    assert decoded == {
        "items": [{"price": "a"}, {"price": "b"}],
        "expand": ["x", "y"],
        "metadata": {"k": ""},
        "n": "1",
    }


@settings(deadline=None)
@given(st.text())
def test_no_form_breaks_the_decoder(text: str) -> None:
    assert isinstance(decode(text), dict)


def test_months_keep_the_day_of_their_anchor() -> None:
    anchor = moment("2026-01-31T10:00:00")

    february = following(anchor, "month", 1, anchor)
    march = following(february, "month", 1, anchor)

    assert february == moment("2026-02-28T10:00:00")
    assert march == moment("2026-03-31T10:00:00")


@pytest.mark.parametrize(
    ("interval", "count", "end"),
    [
        ("day", 1, "2024-03-01T00:00:00"),
        ("week", 2, "2024-03-14T00:00:00"),
        ("month", 3, "2024-05-29T00:00:00"),
        ("year", 1, "2025-02-28T00:00:00"),
    ],
)
def test_periods_of_every_interval(interval: str, count: int, end: str) -> None:
    start = moment("2024-02-29T00:00:00")

    assert following(start, interval, count, start) == moment(end)


@settings(deadline=None)
@given(st.integers(0, 4_000_000_000), st.sampled_from(["day", "week", "month", "year"]))
def test_a_period_always_goes_forward(start: int, interval: str) -> None:
    assert following(start, interval, 1, start) > start


def test_money_is_written_for_people() -> None:
    assert lines.money(290000, "usd") == "$2,900.00"
    assert lines.money(-5, "eur") == "-€0.05"
    assert lines.money(100, "chf") == "1.00 CHF"


def test_card_numbers_may_have_spaces() -> None:
    assert cards.by_number("4000 0000 0000 0341").behaviour is Behaviour.FAILS_LATER
    with pytest.raises(InvalidNumber):
        cards.by_number("4000 0000 0000 0340")


def test_previous_attributes_hold_old_values_only() -> None:
    before = {"a": 1, "b": {"c": 1, "d": 2}, "e": [1]}
    after = {"a": 1, "b": {"c": 9, "d": 2}, "e": [2], "f": 3}

    assert difference(before, after) == {"b": {"c": 1}, "e": [1], "f": None}


def test_a_signature_is_stripes() -> None:
    expected = hmac.new(b"whsec_x", b"5.payload", hashlib.sha256).hexdigest()

    assert signature("whsec_x", b"payload", 5) == f"t=5,v1={expected}"


def test_waits_double_up_to_a_limit() -> None:
    assert [wait_after(attempts) for attempts in (1, 2, 3, 4)] == [1, 2, 4, 8]
    assert wait_after(40) == LONGEST_WAIT


@pytest.mark.parametrize(
    "said",
    [
        {"object": "deleted_thing", "id": "x"},
        {"object": "customer", "id": 7, "created": 1, "livemode": False},
        {"object": "list", "data": [{"object": "price", "id": "x"}], "has_more": False, "url": ""},
        {"error": {"message": "no type"}},
    ],
)
def test_what_stripe_would_not_say_does_not_pass(said: dict[str, object]) -> None:
    with pytest.raises(NotAsDescribed):
        validate(said)
