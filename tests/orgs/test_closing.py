"""Closing an organization, reopening it, and what removal takes away and leaves."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core import mail
from django.core.management import call_command
from django.db import transaction
from django.dispatch import receiver
from django.urls import reverse
from django.utils import timezone
from guardian.shortcuts import assign_perm
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.models import User, UserEventLog
from orgs import services
from orgs.models import (
    REOPEN_WITHIN,
    Grant,
    Invitation,
    Organization,
    OwnershipTransfer,
    Role,
    Tier,
    UserRoleAssignment,
)
from orgs.services import closing
from orgs.signals import organization_removing
from tests.cast import Cast, OrganizationFactory, add_member, signed_in

pytestmark = pytest.mark.django_db

INVITE = "orgs.invite_members"


def close(cast: Cast) -> bool:
    return services.close_organization(organization=cast.acme, by=cast.alice, now=timezone.now())


def later(**ago: int) -> Any:
    return timezone.now() + REOPEN_WITHIN + timedelta(**ago)


def test_closing_keeps_members_out_and_lets_the_owner_in_to_reopen(cast: Cast) -> None:
    assert close(cast) is False
    screen = signed_in(cast.bob).get(reverse("home"))
    assert screen.status_code == 403
    assert "Your organization was closed. Contact Alice Adams" in screen.content.decode()
    client = signed_in(cast.alice)
    page = client.get(reverse("home")).content.decode()
    assert "Your organization is closed" in page
    assert reverse("billing:reopen_organization") in page
    client.post(reverse("billing:reopen_organization"))
    assert signed_in(cast.bob).get(reverse("home")).status_code == 200
    events = UserEventLog.objects.filter(organization=cast.acme, actor=cast.alice)
    assert list(events.order_by("-pk").values_list("event", flat=True)[:2]) == [
        "organization_reopened",
        "organization_closed",
    ]


def test_members_are_told_by_mail_and_the_owner_is_not(
    cast: Cast, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    cleo = add_member(cast.acme)
    services.soft_delete(user=cleo, by=cast.dana, reason="Gone.")
    mail.outbox.clear()
    with django_capture_on_commit_callbacks(execute=True):
        close(cast)
    (message,) = mail.outbox
    assert message.to == [cast.bob.email]
    assert "Alice Adams closed Acme" in str(message.body)
    assert cast.alice.email in str(message.body)


def test_only_the_owner_closes_and_reopens_and_only_once(cast: Cast) -> None:
    with pytest.raises(services.NotOwner):
        services.close_organization(organization=cast.acme, by=cast.bob, now=timezone.now())
    with pytest.raises(services.NotClosed):
        services.reopen_organization(organization=cast.acme, by=cast.alice, now=timezone.now())
    close(cast)
    with pytest.raises(services.OrganizationIsClosed):
        close(cast)
    with pytest.raises(services.NotOwner):
        services.reopen_organization(organization=cast.acme, by=cast.bob, now=timezone.now())
    with pytest.raises(services.TooLate):
        services.reopen_organization(organization=cast.acme, by=cast.alice, now=later())


def test_an_organization_of_nobody_else_goes_at_once(cast: Cast) -> None:
    alone = OrganizationFactory.create().owner
    own = alone.owned_organizations.get()
    assert services.close_organization(organization=own, by=alone, now=timezone.now()) is True
    assert not Organization.objects.filter(pk=own.pk).exists()
    alone.refresh_from_db()
    assert (alone.organization, alone.is_active) == (None, True)
    found = services.found_organization(name="Again", owner=alone)
    assert found.owner == alone


def furnish(cast: Cast) -> Role:
    """Give Acme of everything that belongs to an organization."""
    Organization.objects.update(tier=Tier.objects.get(key="business"))
    own = services.create_role(
        organization=cast.acme, name="Own", permissions=(), by=cast.alice, now=timezone.now()
    )
    services.assign_role(user=cast.bob, role=own, by=cast.alice, now=timezone.now())
    assign_perm(INVITE, cast.bob, cast.acme)
    assign_perm(INVITE, cast.dana, cast.acme)
    services.invite(
        organization=cast.acme,
        email="eve@example.com",
        by=cast.alice,
        roles=[own],
        now=timezone.now(),
    )
    services.request_ownership_transfer(
        organization=cast.acme,
        new_owner=cast.bob,
        by=cast.alice,
        reason="Later.",
        now=timezone.now(),
    )
    services.transfer_ownership(
        organization=cast.acme, new_owner=cast.bob, by=cast.dana, reason="Bob takes over."
    )
    cast.acme.refresh_from_db()
    return own


def test_removal_detaches_everybody_and_leaves_log_and_transfers(cast: Cast) -> None:
    own = furnish(cast)
    gone = add_member(cast.acme)
    services.soft_delete(user=gone, by=cast.dana, reason="Gone.")
    services.close_organization(organization=cast.acme, by=cast.bob, now=timezone.now())
    lines = UserEventLog.objects.filter(organization=cast.acme).count()

    assert services.remove_closed_organizations(now=later(seconds=-60)) == (0, 0)
    assert services.remove_closed_organizations(now=later(seconds=60)) == (1, 0)

    assert not Organization.objects.filter(pk=cast.acme.pk).exists()
    assert not Role.objects.filter(pk=own.pk).exists()
    assert not Grant.objects.exists()
    assert not Invitation.objects.filter(organization_id=cast.acme.pk).exists()
    assert not UserRoleAssignment.objects.filter(organization_id=cast.acme.pk).exists()
    assert OwnershipTransfer.objects.filter(organization_id=cast.acme.pk).count() == 1
    kept = UserEventLog.objects.filter(organization_id=cast.acme.pk)
    assert kept.count() == lines + 4
    assert kept.filter(event="organization_removed").count() == 3
    for person in (cast.alice, cast.bob, gone):
        person.refresh_from_db()
        assert person.organization is None
    assert services.restore(user=gone, by=cast.dana).restored_at is not None
    call_command("check_invariants")


def test_the_daily_command_says_what_it_did(cast: Cast) -> None:
    close(cast)
    said = StringIO()
    call_command("remove_closed_organizations", stdout=said)
    assert said.getvalue() == "0 removed, 0 waiting because Stripe still bills them.\n"
    Organization.objects.update(closed_at=timezone.now() - REOPEN_WITHIN)
    call_command("remove_closed_organizations", stdout=said)
    assert said.getvalue().endswith("1 removed, 0 waiting because Stripe still bills them.\n")
    assert not Organization.objects.exists()


def test_an_organization_that_was_reopened_is_not_removed(cast: Cast) -> None:
    close(cast)
    services.reopen_organization(organization=cast.acme, by=cast.alice, now=timezone.now())
    assert services.remove_closed_organizations(now=later(days=1)) == (0, 0)
    assert Organization.objects.filter(pk=cast.acme.pk).exists()


def test_removal_goes_on_in_bounded_steps_and_where_it_was_interrupted(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(closing, "BATCH", 2)
    for _ in range(4):
        add_member(cast.acme)
    close(cast)
    assert closing._empty_some(cast.acme.pk, later(days=1)) == 2
    assert cast.acme.members.count() == 4
    assert services.remove_closed_organizations(now=later(days=1)) == (1, 0)
    assert User.objects.filter(organization_id=cast.acme.pk).count() == 0


def test_what_is_still_billed_waits_and_loses_nobody(cast: Cast) -> None:
    close(cast)

    @receiver(organization_removing)
    def bill(sender: Any, **kwargs: Any) -> None:
        raise services.StillBilled

    try:
        assert services.remove_closed_organizations(now=later(days=1)) == (0, 1)
    finally:
        organization_removing.disconnect(bill)
    assert cast.acme.members.count() == 2


def test_when_the_last_step_of_closing_fails_nothing_is_closed(cast: Cast) -> None:
    alone = OrganizationFactory.create().owner

    @receiver(organization_removing)
    def fail(sender: Any, **kwargs: Any) -> None:
        raise RuntimeError

    own = alone.owned_organizations.get()
    try:
        with pytest.raises(RuntimeError), transaction.atomic():
            services.close_organization(organization=own, by=alone, now=timezone.now())
    finally:
        organization_removing.disconnect(fail)
    own.refresh_from_db()
    assert (own.closed_at, own.owner) == (None, alone)
