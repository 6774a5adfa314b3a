"""Staff's side: every page opens, facts are read-only, and no page shows a secret."""

from __future__ import annotations

import uuid

import pytest
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.db import models
from django.test import Client
from django.urls import reverse
from djstripe.models import APIKey, Customer, WebhookEndpoint
from pytest_django import Settings

from accounts.models import User, UserEventLog
from billing.models import Standing
from orgs import services
from orgs.models import Organization, Tier
from tests.cast import Cast
from tests.second_factor import set_up_second_factor

SECRET_KEY = "sk_test_do_not_show_me"
ENDPOINT_SECRET = "whsec_do_not_show_me"


@pytest.fixture
def dana(cast: Cast, client: Client) -> Client:
    client.force_login(cast.dana)
    return client


def url(model: type[models.Model], page: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


@pytest.mark.parametrize("model", admin.site._registry, ids=lambda model: model._meta.label)
def test_every_list_opens(dana: Client, model: type[models.Model]) -> None:
    assert dana.get(url(model, "changelist")).status_code == 200


def test_the_owner_is_shown_and_cannot_be_posted(dana: Client, cast: Cast) -> None:
    page = url(Organization, "change", cast.acme.pk)
    assert 'name="owner"' not in dana.get(page).content.decode()
    form = {
        "name": "Acme 2",
        "slug": "acme",
        "billing_email": "",
        "owner": cast.bob.pk,
        "ownership_transfers-TOTAL_FORMS": 0,
        "ownership_transfers-INITIAL_FORMS": 0,
    }
    dana.post(page, form)
    cast.acme.refresh_from_db()
    assert (cast.acme.name, cast.acme.owner) == ("Acme 2", cast.alice)


def test_the_organizations_page_shows_that_stripe_still_has_to_follow(
    dana: Client, cast: Cast
) -> None:
    page = dana.get(url(Organization, "change", cast.acme.pk)).content.decode()
    assert "A sync is asked for since" in page


def test_a_change_of_name_is_logged_and_marks_the_organization(dana: Client, cast: Cast) -> None:
    Standing.objects.update(sync_requested_at=None)
    services.change_details(
        organization=cast.acme, by=cast.dana, name="Acme 2", slug="acme", billing_email=""
    )
    assert Standing.objects.get(organization=cast.acme).sync_requested_at is not None
    line = UserEventLog.objects.get(event="organization_changed")
    assert (line.actor, line.data) == (cast.dana, {"fields": ["name"]})


def test_organizations_are_neither_added_nor_deleted_here(dana: Client, cast: Cast) -> None:
    assert dana.get(url(Organization, "add")).status_code == 403
    deletion = url(Organization, "delete", cast.acme.pk)
    assert dana.post(deletion, {"post": "yes"}).status_code == 403
    assert Organization.objects.filter(pk=cast.acme.pk).exists()


def test_the_free_tier_cannot_be_deleted_nor_its_key_changed(dana: Client) -> None:
    free = Tier.objects.free()
    assert dana.post(url(Tier, "delete", free.pk), {"post": "yes"}).status_code == 403
    dana.post(url(Tier, "change", free.pk), {"key": "gone", "name": "Free", "rank": 0})
    assert Tier.objects.free().pk == free.pk


def test_no_page_of_the_mirror_shows_a_secret(dana: Client, db: None, settings: Settings) -> None:
    settings.STRIPE_SECRET_KEY = SECRET_KEY
    rows: list[models.Model] = [
        Customer.objects.create(id="cus_1"),
        WebhookEndpoint.objects.create(
            id="we_1",
            djstripe_uuid=uuid.uuid4(),
            secret=ENDPOINT_SECRET,
            url="https://example.com",
            enabled_events=["*"],
        ),
    ]
    APIKey.objects.create(secret=SECRET_KEY, livemode=False, type="secret")
    for row in rows:
        page = dana.get(url(type(row), "change", row.pk))
        assert page.status_code == 200
        text = page.content.decode()
        assert SECRET_KEY not in text
        assert ENDPOINT_SECRET not in text
        assert 'name="_save"' not in text
        assert dana.post(url(type(row), "change", row.pk), {"id": "x"}).status_code == 403
        assert dana.post(url(type(row), "delete", row.pk), {"post": "yes"}).status_code == 403


def test_second_factors_are_listed_and_their_secrets_are_not_shown(
    dana: Client, cast: Cast
) -> None:
    secret = set_up_second_factor(cast.bob)
    factor = Authenticator.objects.get(user=cast.bob)
    page = dana.get(url(Authenticator, "change", factor.pk))
    assert page.status_code == 200
    assert "bob@example.com" in page.content.decode()
    assert secret not in page.content.decode()
    assert dana.post(url(Authenticator, "change", factor.pk), {"data": "{}"}).status_code == 403
    assert dana.get(url(Authenticator, "add")).status_code == 403


@pytest.mark.parametrize(
    ("model", "lookup"),
    [
        (User, "password"),
        (User, "password__startswith"),
        (User, "password__iregex"),
        (Authenticator, "data__icontains"),
        (Authenticator, "data__secret__startswith"),
        (WebhookEndpoint, "secret__startswith"),
    ],
)
def test_no_list_says_how_a_secret_begins(
    dana: Client, model: type[models.Model], lookup: str
) -> None:
    assert dana.get(url(model, "changelist"), {lookup: "x"}).status_code == 400


def test_api_keys_are_not_in_the_admin_at_all() -> None:
    assert not admin.site.is_registered(APIKey)
