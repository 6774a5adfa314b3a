"""The demo's cast: an organization in each standing, made by the real services."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from accounts.models import User
from billing.models import Standing
from config.management.commands.plant_cast import PASSWORD
from orgs.models import Organization
from tests.payer import Payer


def plant() -> str:
    out = io.StringIO()
    call_command("plant_cast", stdout=out)
    return out.getvalue()


def standings() -> dict[str, str]:
    return dict(
        Standing.objects.exclude(organization__name="Acme").values_list(
            "organization__name", "status"
        )
    )


def test_there_is_a_team_in_each_standing_and_a_developer(payer: Payer, settings: Settings) -> None:
    settings.DEBUG = True
    said = plant()
    assert standings() == {
        "Fern Studio": "free",
        "Cedar Works": "current",
        "Poplar & Co": "past_due",
        "Larch Labs": "lapsed",
    }
    for organization in Organization.objects.exclude(name="Acme"):
        assert organization.members.count() == 2
    for person in User.objects.filter(email__in=["cleo@example.com", "finn@example.com"]):
        assert person.email in said
        assert person.check_password(PASSWORD)
    assert User.objects.filter(email="dana@example.com", is_superuser=True).exists()

    # Safe to run again.
    calls = len(payer.sandbox.requests())
    plant()
    assert {call["method"] for call in payer.sandbox.requests()[calls:]} == {"GET"}
    assert len(standings()) == 4


def test_it_is_refused_where_it_would_do_harm(db: None, settings: Settings) -> None:
    settings.DEBUG = False
    with pytest.raises(CommandError, match="for development only"):
        plant()
