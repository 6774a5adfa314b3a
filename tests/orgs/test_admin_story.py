"""The admin's pages of organizations, people and standings: the whole story, ten of each kind."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.admin_base import SHOWN
from accounts.events import Event
from accounts.models import User, UserEventLog
from billing.models import Standing
from orgs import services
from orgs.models import (
    Grant,
    Invitation,
    Organization,
    OwnershipTransfer,
    OwnershipTransferRequest,
    Role,
    UserRoleAssignment,
)
from tests.cast import Cast, add_member, signed_in
from tests.orgs.two_organizations import url
from tests.second_factor import set_up_second_factor
from tests.staff import grant

pytestmark = pytest.mark.django_db


@pytest.fixture
def dana(cast: Cast) -> Client:
    return signed_in(cast.dana)


def told(client: Client, row: Model) -> str:
    return unescape(client.get(url(type(row), "change", row.pk)).content.decode())


def test_an_organizations_page_leads_to_all_that_is_its(dana: Client, cast: Cast) -> None:
    heir = add_member(cast.acme, name="Hera Heir")
    services.request_ownership_transfer(
        organization=cast.acme, new_owner=heir, by=cast.alice, reason="I sail.", now=timezone.now()
    )
    services.transfer_ownership(
        organization=cast.acme, new_owner=heir, by=cast.dana, reason="She asked."
    )
    services.invite(organization=cast.acme, email="ivy@example.com", by=heir, now=timezone.now())
    page = told(dana, cast.acme)
    for words in (
        "Alice Adams asked for a transfer to Hera Heir",
        "I sail.",
        "from Alice Adams to Hera Heir, by Dana Diaz",
        "She asked.",
        "3 people are on the team.",
        "Bob Brown",
        "ivy@example.com",
    ):
        assert words in page
    for row in (heir, cast.bob, OwnershipTransfer.objects.get(), cast.acme.standing):
        assert f'href="{url(type(row), "change", row.pk)}"' in page
    for model, field in (
        (User, "organization__id__exact"),
        (UserRoleAssignment, "organization__id__exact"),
        (Role, "organization__id__exact"),
        (Grant, "content_object__id__exact"),
        (UserEventLog, "organization__id__exact"),
        (Invitation, "organization__id__exact"),
        (OwnershipTransfer, "organization"),
    ):
        address = f"{url(model, 'changelist')}?{field}={cast.acme.pk}"
        assert f'href="{address}"' in page
        rows = dana.get(address).context["cl"].result_list
        assert {getattr(row, field.partition("__")[0]) for row in rows} <= {cast.acme}


def test_a_persons_page_tells_where_they_belong_and_what_became_of_them(
    dana: Client, cast: Cast
) -> None:
    carol = add_member(cast.acme, name="Carol")
    role = Role.objects.get(key="member")
    services.assign_role(user=cast.bob, role=role, by=cast.alice, now=timezone.now())
    grant(cast.bob, "orgs.view_billing", cast.acme, by=cast.dana)
    set_up_second_factor(cast.bob)
    services.transfer_ownership(
        organization=cast.acme, new_owner=cast.bob, by=cast.dana, reason="They agreed."
    )
    page = told(dana, cast.bob)
    for words in (
        "received Acme from Alice Adams",
        "Member",
        "See plan and invoices",
        "bob@example.com",
        "TOTP Authenticator",
        "Confirmed",
        "got a role",
    ):
        assert words in page
    assert f'href="{url(Organization, "change", cast.acme.pk)}"' in page
    assert f'href="{url(UserEventLog, "changelist")}?user__id__exact={cast.bob.pk}"' in page
    assert "gave Acme to Bob Brown" in told(dana, cast.alice)
    services.soft_delete(user=carol, by=cast.dana, reason="She left.")
    assert "She left." in told(dana, carol)


def test_a_standings_page_leads_to_organization_owner_and_stripe(dana: Client, cast: Cast) -> None:
    Standing.objects.update(
        recurring_currency="eur",
        recurring_amount=1950,
        payment_method={"brand": "visa", "type": "card", "last4": "4242"},
    )
    page = told(dana, cast.acme.standing)
    for words in ("€19.50", "Visa ending in 4242", "Alice Adams"):
        assert words in page
    for row in (cast.acme, cast.alice):
        assert f'href="{url(type(row), "change", row.pk)}"' in page


def test_what_is_not_there_is_a_dash(dana: Client, cast: Cast) -> None:
    for row in (cast.acme, cast.alice, cast.acme.standing):
        assert ">None<" not in told(dana, row)


# --- What it costs --------------------------------------------------------------------------------


def plant(cast: Cast, numbers: range) -> None:
    """So many more of each kind that a page tells of, past the services."""
    now = timezone.now()
    User.objects.bulk_create(
        User(email=f"many{each}@example.com", name=f"Many {each}", organization=cast.acme)
        for each in numbers
    )
    Invitation.objects.bulk_create(
        Invitation(organization=cast.acme, email=f"guest{each}@example.com", expires_at=now)
        for each in numbers
    )
    OwnershipTransferRequest.objects.bulk_create(
        OwnershipTransferRequest(organization=cast.acme, reason=f"Wish {each}", closed_at=now)
        for each in numbers
    )
    UserEventLog.objects.bulk_create(
        UserEventLog(event=Event.LOGIN, user=cast.bob, organization=cast.acme) for _each in numbers
    )


def test_pages_are_as_long_and_cost_as_much_with_thousands(dana: Client, cast: Cast) -> None:
    # Which content types there are is asked once in each process.
    ContentType.objects.get_for_models(User, Organization, Standing)

    def made(row: Model) -> tuple[int, int]:
        with CaptureQueriesContext(connection) as captured:
            page: Any = dana.get(url(type(row), "change", row.pk))
        return len(captured), len(page.content)

    pages: list[Model] = [cast.acme, cast.bob, cast.acme.standing]
    plant(cast, range(1_000, 1_000 + SHOWN))
    before = [made(row) for row in pages]
    plant(cast, range(2_000, 5_000))
    after = [made(row) for row in pages]
    assert [statements for statements, _length in after] == [
        statements for statements, _length in before
    ]
    # Numbers of more digits, and no row more.
    for (_statements, was), (_same, is_now) in zip(before, after, strict=True):
        assert abs(is_now - was) < 500
