"""The landing page: what the plans cost and offer, from the tiers themselves."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from orgs.models import Tier
from tests.payer import Payer

pytestmark = pytest.mark.django_db


def landing() -> str:
    return re.sub(r"\s+", " ", Client().get(reverse("home")).content.decode())


def row_of(text: str, feature: str) -> list[str]:
    """What stands in the cells of a feature: the words that are read out."""
    (row,) = re.findall(rf"<tr> <th scope=\"row\">{feature}</th>(.*?)</tr>", text)
    return re.findall(r"(Not included|Included)</span>", row)


def test_plans_stand_there_with_their_prices_and_seats(payer: Payer) -> None:
    Tier.objects.filter(key="pro").update(seat_limit=20)
    text = landing()
    for words in ("€19 a month", "€190 a year", "€49 a month", "Free of charge", "Up to 20 people"):
        assert words in text
    assert row_of(text, "See the activity log") == ["Not included", "Included", "Included"]


def test_a_change_of_a_tier_is_a_change_of_the_comparison(payer: Payer) -> None:
    log = Permission.objects.get(codename="view_activity")
    Tier.objects.get(key="free").entitlements.add(log)
    Tier.objects.filter(key="business").update(name="Enterprise", seat_limit=1)
    text = landing()
    assert row_of(text, "See the activity log") == ["Included", "Included", "Included"]
    assert "<h3>Enterprise</h3>" in text
    assert "One person" in text


def test_what_no_tier_offers_and_a_retired_tier_do_not_stand_there(db: None) -> None:
    Tier.objects.filter(key="pro").update(is_offered=False)
    for tier in Tier.objects.all():
        tier.entitlements.remove(*Permission.objects.filter(codename="create_roles"))
    text = landing()
    assert "<h3>Pro</h3>" not in text
    assert "Make roles of its own" not in text


def test_without_any_price_at_stripe_the_page_stands_and_promises_none(db: None) -> None:
    text = landing()
    assert "Not on offer at the moment" in text
    assert "then choose Pro" not in text
