from __future__ import annotations

import pytest
from django.utils import timezone

from accounts import services as accounts
from accounts.models import User, UserType
from orgs import services
from tests.browser.people import PASSWORD, Team


@pytest.fixture
def team(transactional_db: None) -> Team:
    owner = services.sign_up(
        email="alice@example.com",
        password=PASSWORD,
        name="Alice Adams",
        organization_name="Acme Shipping & Sons",
        is_email_verified=True,
    )
    owner.refresh_from_db()
    organization = owner.organization
    assert organization is not None
    now = timezone.now()
    # An address as long as they come: it must not push a page wider than a phone.
    invitation = services.invite(
        organization=organization,
        email="bob.with.quite.a.long.address@shipping-and-sons.example.com",
        by=owner,
        now=now,
    )
    member = services.join_as_new_person(invitation=invitation, name="", password=PASSWORD, now=now)
    services.invite(organization=organization, email="charlie@example.com", by=owner, now=now)
    return Team(owner, member, organization)


@pytest.fixture
def staff(transactional_db: None) -> User:
    return accounts.create_person(
        email="dana@example.com",
        password=PASSWORD,
        name="Dana Developer",
        user_type=UserType.DEVELOPER,
        is_staff=True,
        is_superuser=True,
        is_email_verified=True,
    )
