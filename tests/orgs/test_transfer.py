"""Handing an organization on: who may, to whom, what follows, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core import mail
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.models import User, UserEventLog
from orgs import services
from orgs.models import Organization, OwnershipTransfer
from orgs.signals import ownership_transferred
from tests.cast import Cast, PersonFactory


def transfer(cast: Cast, to: User | None = None, **changes: Any) -> OwnershipTransfer:
    arguments: dict[str, Any] = {
        "organization": cast.acme,
        "new_owner": to or cast.bob,
        "by": cast.dana,
        "reason": "Alice moves on.",
    }
    return services.transfer_ownership(**(arguments | changes))


def owner_of(cast: Cast) -> User:
    return Organization.objects.get(pk=cast.acme.pk).owner


def test_the_row_is_the_act_and_leaves_a_line_for_both(cast: Cast) -> None:
    row = transfer(cast)
    assert owner_of(cast) == cast.bob
    assert (row.from_owner, row.to_owner, row.performed_by) == (cast.alice, cast.bob, cast.dana)
    lines = UserEventLog.objects.filter(event__startswith="ownership_").order_by("id")
    assert [(line.event, line.user, line.actor, line.data) for line in lines] == [
        ("ownership_given", cast.alice, cast.dana, {"transfer": row.pk}),
        ("ownership_received", cast.bob, cast.dana, {"transfer": row.pk}),
    ]


def test_both_people_get_a_mail_and_others_are_told_after_commit(
    cast: Cast, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    told: list[OwnershipTransfer] = []

    def listen(transfer: OwnershipTransfer, **kwargs: object) -> None:
        told.append(transfer)

    ownership_transferred.connect(listen)
    mail.outbox.clear()
    try:
        with django_capture_on_commit_callbacks(execute=True):
            row = transfer(cast)
            assert (told, mail.outbox) == ([], [])
    finally:
        ownership_transferred.disconnect(listen)
    assert told == [row]
    assert [(message.to, message.subject) for message in mail.outbox] == [
        (["alice@example.com"], "You no longer own Acme"),
        (["bob@example.com"], "You own Acme now"),
    ]


def test_ownership_can_go_back_and_each_transfer_stays(cast: Cast) -> None:
    transfer(cast)
    acme = Organization.objects.get(pk=cast.acme.pk)
    transfer(cast, cast.alice, organization=acme, reason="Back again.")
    assert owner_of(cast) == cast.alice
    assert OwnershipTransfer.objects.filter(organization=cast.acme).count() == 2


def test_the_former_owner_can_go_and_the_organization_and_its_history_stay(cast: Cast) -> None:
    row = transfer(cast)
    alice_id = cast.alice.pk
    User.objects.get(pk=alice_id).delete()
    assert owner_of(cast) == cast.bob
    assert OwnershipTransfer.objects.get(pk=row.pk).from_owner_id == alice_id


def test_the_billing_address_is_cleared_unless_it_is_kept(cast: Cast) -> None:
    Organization.objects.update(billing_email="bills@example.com")
    transfer(cast, keep_billing_email=True)
    acme = Organization.objects.get(pk=cast.acme.pk)
    assert acme.billing_email == "bills@example.com"
    transfer(cast, cast.alice, organization=acme)
    acme.refresh_from_db()
    assert (acme.billing_email, acme.email) == ("", "alice@example.com")


def made(**changes: Any) -> Any:
    """Change Bob first, then transfer to him."""

    def attempt(cast: Cast) -> None:
        User.objects.filter(pk=cast.bob.pk).update(**changes)
        transfer(cast)

    return attempt


def closed(cast: Cast) -> None:
    Organization.objects.update(closed_at=timezone.now())
    transfer(cast)


def by_staff_without_the_permission(cast: Cast) -> None:
    transfer(cast, by=PersonFactory.create(user_type="developer", is_staff=True))


@pytest.mark.parametrize(
    ("attempt", "refusal"),
    [
        (lambda cast: transfer(cast, cast.charlie), services.NotAMember),
        (lambda cast: transfer(cast, cast.dana), services.IsDeveloper),
        (lambda cast: transfer(cast, cast.alice), services.AlreadyOwner),
        (made(is_active=False), services.IsInactive),
        (made(deleted_at=timezone.now(), is_active=False), services.IsDeleted),
        (closed, services.OrganizationClosed),
        (lambda cast: transfer(cast, reason="  "), services.ReasonMissing),
        (lambda cast: transfer(cast, by=cast.alice), services.ActorNotAllowed),
        (lambda cast: transfer(cast, by=cast.bob), services.ActorNotAllowed),
        (by_staff_without_the_permission, services.ActorNotAllowed),
    ],
    ids=[
        "to an outsider",
        "to a developer",
        "to the owner",
        "to somebody inactive",
        "to somebody deleted",
        "of a closed organization",
        "without a reason",
        "by the owner",
        "by the new owner",
        "by staff without the permission",
    ],
)
def test_each_refusal_has_its_name_and_changes_nothing(
    cast: Cast, attempt: Any, refusal: type[services.TransferRefused]
) -> None:
    with pytest.raises(refusal) as raised:
        attempt(cast)
    assert str(raised.value)
    assert owner_of(cast) == cast.alice
    assert not OwnershipTransfer.objects.exists()
    assert not UserEventLog.objects.filter(event__startswith="ownership_").exists()


def test_staff_with_the_permission_need_not_be_superusers(cast: Cast) -> None:
    staff = PersonFactory.create(user_type="developer", is_staff=True)
    staff.user_permissions.add(Permission.objects.get(codename="transfer_ownership"))
    transfer(cast, by=User.objects.get(pk=staff.pk))
    assert owner_of(cast) == cast.bob


def test_who_saw_another_owner_is_told(cast: Cast) -> None:
    as_dana_saw_it = Organization.objects.get(pk=cast.acme.pk)
    transfer(cast)
    with pytest.raises(services.OwnerChanged):
        transfer(cast, cast.alice, organization=as_dana_saw_it)
    assert owner_of(cast) == cast.bob


def request(cast: Cast, **changes: Any) -> Any:
    arguments: dict[str, Any] = {
        "organization": cast.acme,
        "new_owner": cast.bob,
        "by": cast.alice,
        "reason": "I move on.",
        "now": timezone.now(),
    }
    return services.request_ownership_transfer(**(arguments | changes))


def test_a_request_changes_nothing_but_the_queue_and_the_log(cast: Cast) -> None:
    request(cast)
    assert owner_of(cast) == cast.alice
    line = UserEventLog.objects.get(event="ownership_transfer_requested")
    assert (line.user, line.actor) == (cast.bob, cast.alice)


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"by": "bob"}, services.NotOwner),
        ({"by": "dana"}, services.NotOwner),
        ({"new_owner": "charlie"}, services.NotAMember),
        ({"new_owner": "alice"}, services.AlreadyOwner),
        ({"reason": " "}, services.ReasonMissing),
    ],
)
def test_requests_that_staff_could_not_fulfil_are_refused(
    cast: Cast, changes: dict[str, str], refusal: type[Exception]
) -> None:
    people = {name: getattr(cast, value, value) for name, value in changes.items()}
    with pytest.raises(refusal):
        request(cast, **people)


def test_one_request_at_a_time_until_it_is_answered(cast: Cast) -> None:
    first = request(cast)
    with pytest.raises(services.RequestPending):
        request(cast)
    services.close_ownership_transfer_request(request=first, by=cast.alice, now=timezone.now())
    second = request(cast)
    transfer(cast)
    second.refresh_from_db()
    assert second.closed_at is not None


def test_only_the_owner_withdraws_and_only_staff_decline(cast: Cast) -> None:
    wish = request(cast)
    with pytest.raises(services.ActorNotAllowed):
        services.close_ownership_transfer_request(request=wish, by=cast.bob, now=timezone.now())
    services.close_ownership_transfer_request(request=wish, by=cast.dana, now=timezone.now())
    assert UserEventLog.objects.filter(event="ownership_transfer_declined").count() == 1
