"""The transfer on pages: the owner asks, staff look at the queue, preview, confirm."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from djstripe.models import Customer

from accounts.models import User
from orgs import services
from orgs.models import Organization, OwnershipTransfer, OwnershipTransferRequest
from tests.cast import PASSWORD, Cast, PersonFactory, lock
from tests.second_factor import log_in, prove, set_up_second_factor


def page(cast: Cast, to: User | None = None) -> str:
    url = reverse("admin:orgs_organization_transfer", args=[cast.acme.pk])
    return f"{url}?to={to.pk}" if to else url


@pytest.fixture
def dana(cast: Cast) -> Client:
    """Staff with a second factor, who just proved again who they are."""
    return prove(cast.dana)


def form(cast: Cast, **changes: Any) -> dict[str, Any]:
    return {
        "reason": "Alice moves on.",
        "slug": "acme",
        "from_owner": cast.alice.pk,
    } | changes


def owner_of(cast: Cast) -> User:
    return Organization.objects.get(pk=cast.acme.pk).owner


def test_staff_choose_look_confirm_and_land_on_the_record(dana: Client, cast: Cast) -> None:
    choose = dana.get(page(cast)).content.decode()
    assert "Bob Brown" in choose or "bob@example.com" in choose
    assert "alice@example.com</option>" not in choose

    preview = dana.get(page(cast, cast.bob)).content.decode()
    for sentence in (
        "Stays a member of the team.",
        "Can no longer change plan or payment",
        "Owns the organization, and is answerable for its bills.",
    ):
        assert sentence in preview

    done = dana.post(page(cast, cast.bob), form(cast), follow=True)
    assert owner_of(cast) == cast.bob
    record = OwnershipTransfer.objects.get()
    assert done.redirect_chain[-1][0] == reverse(
        "admin:orgs_ownershiptransfer_change", args=[record.pk]
    )
    text = done.content.decode()
    assert "Alice moves on." in text
    earlier = f"{reverse('admin:orgs_ownershiptransfer_changelist')}?organization={cast.acme.pk}"
    assert earlier in text
    assert dana.get(earlier).status_code == 200


def test_the_preview_names_what_changes_at_stripe_and_under_a_lock(
    dana: Client, cast: Cast
) -> None:
    customer = Customer.objects.create(id="cus_acme")
    Organization.objects.update(stripe_customer=customer, billing_email="bills@example.com")
    lock(cast.acme)
    preview = dana.get(page(cast, cast.bob)).content.decode()
    for words in (
        "cus_acme",
        "from bills@example.com to bob@example.com",
        "is cleared, unless you keep it",
        "Is locked out at once",
        "Gets in although the organization is locked",
        'name="keep_billing_email"',
    ):
        assert words in preview


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"slug": "acne"}, "This is not the organization&#x27;s slug."),
        ({"slug": ""}, "This field is required."),
        ({"reason": ""}, "This field is required."),
        ({"from_owner": 999}, "The owner has changed in the meantime."),
    ],
)
def test_an_incomplete_confirmation_is_named_and_changes_nothing(
    dana: Client, cast: Cast, changes: dict[str, Any], words: str
) -> None:
    answer = dana.post(page(cast, cast.bob), form(cast, **changes))
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert owner_of(cast) == cast.alice


@pytest.mark.parametrize("who", ["charlie", "alice", "dana"])
def test_nobody_else_than_another_member_can_be_chosen(dana: Client, cast: Cast, who: str) -> None:
    answer = dana.post(page(cast, getattr(cast, who)), form(cast))
    assert answer.status_code == 422
    assert owner_of(cast) == cast.alice


def test_of_a_large_team_nobody_is_offered_and_each_is_found_by_their_address(
    dana: Client, cast: Cast
) -> None:
    User.objects.bulk_create(
        User(email=f"many{each}@example.com", organization=cast.acme) for each in range(101)
    )
    assert "<option" not in dana.get(page(cast)).content.decode()
    for address in ("Bob@example.com", str(cast.bob.pk)):
        found = dana.get(page(cast), {"to": address}).content.decode()
        assert "Bob Brown (bob@example.com), the new owner" in found
    for address in ("charlie@example.com", "alice@example.com", "nobody", ""):
        answer = dana.get(page(cast), {"to": address})
        assert answer.status_code == 422
        assert "the new owner</h3>" not in answer.content.decode()


def test_a_closed_organization_is_refused_in_words(dana: Client, cast: Cast) -> None:
    Organization.objects.update(closed_at=timezone.now())
    answer = dana.post(page(cast, cast.bob), form(cast))
    assert "A closed organization cannot be handed on." in answer.content.decode()
    assert owner_of(cast) == cast.alice


def test_staff_without_the_permission_are_refused(cast: Cast) -> None:
    staff = PersonFactory.create(user_type="developer", is_staff=True)
    client = log_in(staff)
    assert client.get(page(cast)).status_code == 403
    assert client.post(page(cast, cast.bob), form(cast)).status_code == 403
    assert owner_of(cast) == cast.alice


@pytest.mark.parametrize("who", ["alice", "bob"])
def test_members_are_refused(cast: Cast, who: str) -> None:
    client = log_in(getattr(cast, who))
    assert client.post(page(cast, cast.bob), form(cast)).status_code != 200
    assert owner_of(cast) == cast.alice


def test_without_a_second_factor_staff_are_led_to_set_one_up(cast: Cast) -> None:
    client = log_in(cast.dana)
    answer = client.post(page(cast, cast.bob), form(cast))
    assert answer["Location"] == reverse("mfa_index")
    assert owner_of(cast) == cast.alice


def test_having_logged_in_is_not_enough(cast: Cast) -> None:
    client = log_in(cast.dana, set_up_second_factor(cast.dana))
    answer = client.post(page(cast, cast.bob), form(cast))
    assert answer["Location"].startswith(reverse("account_reauthenticate"))
    assert owner_of(cast) == cast.alice


def test_a_proof_of_long_ago_has_to_be_repeated(dana: Client, cast: Cast) -> None:
    with time_machine.travel(timezone.now() + timedelta(minutes=6)):
        answer = dana.post(page(cast, cast.bob), form(cast))
        assert answer["Location"].startswith(reverse("account_reauthenticate"))
        assert owner_of(cast) == cast.alice
        dana.post(reverse("account_reauthenticate"), {"password": PASSWORD})
        assert dana.get(page(cast, cast.bob)).status_code == 200


def ask(client: Client, to: User | None, reason: str = "I move on.") -> Any:
    wish = {"to": to.pk if to else "", "reason": reason}
    return client.post(reverse("orgs:request_transfer"), wish, follow=True)


def test_the_owner_asks_and_the_request_waits_in_the_queue(dana: Client, cast: Cast) -> None:
    answer = ask(log_in(cast.alice), cast.bob)
    assert "We have your request." in answer.content.decode()
    queue = dana.get(reverse("admin:orgs_ownershiptransferrequest_changelist")).content.decode()
    assert "I move on." in queue
    assert page(cast, cast.bob) in queue
    assert "I move on." in dana.get(page(cast)).content.decode()

    dana.post(page(cast, cast.bob), form(cast))
    assert OwnershipTransferRequest.objects.get().closed_at is not None
    queue = dana.get(reverse("admin:orgs_ownershiptransferrequest_changelist")).content.decode()
    assert "I move on." not in queue


@pytest.mark.parametrize(
    ("to", "reason"), [("bob", ""), ("charlie", "why"), ("alice", "why"), ("", "why")]
)
def test_a_bad_request_is_named_and_sends_nothing(cast: Cast, to: str, reason: str) -> None:
    answer = ask(log_in(cast.alice), getattr(cast, to, None), reason)
    assert answer.status_code == 422
    assert not OwnershipTransferRequest.objects.exists()


def test_only_the_owner_asks_and_others_are_told_who_is(cast: Cast) -> None:
    client = log_in(cast.bob)
    answer = client.get(reverse("orgs:request_transfer"))
    assert "Only the owner, Alice Adams, can ask for this." in answer.content.decode()
    ask(client, cast.bob)
    assert not OwnershipTransferRequest.objects.exists()


def test_the_owner_withdraws_a_request_and_can_ask_again(cast: Cast) -> None:
    client = log_in(cast.alice)
    ask(client, cast.bob)
    client.post(reverse("orgs:withdraw_transfer_request"))
    ask(client, cast.bob, "Again.")
    assert OwnershipTransferRequest.objects.pending().get().reason == "Again."
    assert OwnershipTransferRequest.objects.count() == 2


def test_staff_decline_in_the_queue(dana: Client, cast: Cast) -> None:
    wish = services.request_ownership_transfer(
        organization=cast.acme,
        new_owner=cast.bob,
        by=cast.alice,
        reason="x",
        now=timezone.now(),
    )
    dana.post(
        reverse("admin:orgs_ownershiptransferrequest_changelist"),
        {"action": "decline", "_selected_action": [wish.pk]},
    )
    wish.refresh_from_db()
    assert wish.closed_at is not None
    assert owner_of(cast) == cast.alice
