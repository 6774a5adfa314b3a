"""What may happen: the choices of random histories."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

CARDS = (
    "4242424242424242",
    "4242424242424242",
    "4000000000000341",
    "4000000000009995",
    "4000002500003155",
    "4000002760003184",
)
SOLD = ("holdfast_pro_month", "holdfast_pro_year", "holdfast_business_month")
PRICES = (*SOLD, "made_by_hand")
SPANS = (
    timedelta(minutes=2),
    timedelta(hours=1),
    timedelta(days=3),
    timedelta(days=3),
    timedelta(days=32),
)
CALLS: tuple[dict[str, Any], ...] = (
    {"status": 500},
    {"status": 429},
    {"drop": True},
    {"nonsense": True},
    {"delay_ms": 20},
    {"status": 500, "after_effect": True},
    {"drop": True, "after_effect": True},
    {"nonsense": True, "after_effect": True},
)
PATHS = ("/v1/*", "/v1/customers*", "/v1/subscriptions*", "/v1/invoices*", "/v1/checkout/*")
DELIVERIES: tuple[dict[str, Any], ...] = (
    {"drop": True},
    {"duplicate": 2},
    {"reorder": True},
    {"delay_ms": 40},
    {"nonsense": True},
    {"reorder": True, "duplicate": 1},
)
EVENTS = ("*", "customer.subscription.*", "invoice.*", "customer.*")

cards = st.sampled_from(CARDS)
decisions = st.sampled_from(["complete", "complete", "fail"])
times = st.integers(1, 4)
acts = st.sampled_from(["end", "end_later", "keep", "pay", "void", "delete"])
