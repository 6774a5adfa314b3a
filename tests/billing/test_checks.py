"""`manage.py check --database`: an endpoint whose events would be refused, or misread."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command
from djstripe.models import WebhookEndpoint
from pytest_django import Settings

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _in_test_mode(settings: Settings) -> None:
    settings.STRIPE_SECRET_KEY = "sk_test_check"


def endpoint(**changed: object) -> None:
    fields = {
        "id": "we_1",
        "livemode": False,
        "secret": "whsec_1",
        "api_version": "2026-05-27.dahlia",
        "status": "enabled",
        "enabled_events": ["*"],
        "url": "https://app.example.com/stripe/webhook/x/",
    }
    WebhookEndpoint.objects.create(**(fields | changed))


def said() -> str:
    try:
        call_command("check", "--database=default", fail_level="WARNING")
    except CommandError as error:
        return str(error)
    return ""


def test_an_endpoint_as_stripe_setup_makes_it_is_fine() -> None:
    endpoint()
    assert said() == ""


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ({"secret": ""}, "billing.E003"),
        ({"api_version": "2020-08-27"}, "billing.E004"),
        ({"api_version": ""}, "billing.E004"),
        ({"status": "disabled"}, "billing.W002"),
        ({"livemode": True}, "billing.W002"),
    ],
)
def test_an_endpoint_that_does_not_serve_is_named(changed: dict[str, object], wanted: str) -> None:
    endpoint(**changed)
    assert f"({wanted})" in said()
    assert "HINT: Run `manage.py stripe_setup`" in said()


def test_without_a_key_no_endpoint_is_missed(settings: Settings) -> None:
    settings.STRIPE_SECRET_KEY = ""
    assert said() == ""
