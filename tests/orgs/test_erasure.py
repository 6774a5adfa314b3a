"""What is left of a person when their 30 days are over: a row that nobody knows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import services as accounts
from accounts.models import User, UserEventLog
from orgs import emails, services
from orgs.models import Grant, Invitation, Organization, OwnershipTransfer, SoftDeletion
from orgs.services import erasure
from orgs.services.erasure import COME_BACK_WITHIN, ERASE
from tests.cast import PASSWORD, Cast, OrganizationFactory, PersonFactory, add_member, signed_in
from tests.everything_about import EMAIL, NAME, hand_on, make_cleo
from tests.second_factor import log_in
from tests.staff import allow, make_developer

pytestmark = pytest.mark.django_db

TRACES = re.compile("quill", re.IGNORECASE)


def after(**late: int) -> Any:
    """When the 30 days of a deletion of today are over, and this long after."""
    return timezone.now() + COME_BACK_WITHIN + timedelta(**late)


def delete(person: User) -> SoftDeletion:
    return services.delete_own_account(user=person, now=timezone.now())


def erase(person: User) -> User:
    """Have a person delete their account, and be erased."""
    delete(person)
    assert services.erase_deleted_people(now=after(seconds=1)) == 1
    person.refresh_from_db()
    return person


def traces() -> Iterator[str]:
    """Every row of every table in which her name or an address of hers still stands."""
    for model in apps.get_models(include_auto_created=True):
        for row in model._default_manager.values():
            if model is Session:
                row["session_data"] = Session(**row).get_decoded()
            if TRACES.search(str(row)):
                yield f"{model._meta.label}: {row}"


def test_nothing_in_the_whole_database_says_who_they_were(cast: Cast) -> None:
    cleo = make_cleo(cast)
    assert NAME == "Cleo Quill"
    client = Client()
    client.post(reverse("account_login"), {"login": EMAIL, "password": PASSWORD})
    assert Session.objects.exists()
    hand_on(cleo, by=cast.dana)
    delete(cleo)
    other = OrganizationFactory.create()
    now = timezone.now()
    services.invite(organization=other, email=EMAIL, by=other.owner, now=now)
    found = {trace.split(":")[0] for trace in traces()}
    assert found >= {
        "accounts.User",
        "account.EmailAddress",
        "admin.LogEntry",
        "orgs.Invitation",
        "orgs.OwnershipTransferRequest",
        "orgs.SoftDeletion",
        "sessions.Session",
    }
    with time_machine.travel(after(seconds=1)):
        call_command("erase_deleted_people", stdout=StringIO())
    assert list(traces()) == []
    call_command("check_invariants")


def test_credentials_and_grants_are_gone_and_the_history_stays(cast: Cast) -> None:
    cleo = make_cleo(cast)
    hand_on(cleo, by=cast.dana)
    lines = list(UserEventLog.objects.filter(user=cleo).order_by("pk").values())
    transfers = list(OwnershipTransfer.objects.order_by("pk").values())
    assert lines
    assert transfers
    erase(cleo)
    assert (cleo.name, cleo.has_usable_password()) == ("", False)
    assert cleo.get_full_name() == cleo.get_short_name() == "Erased person"
    assert re.fullmatch(rf"erased-{cleo.pk}-[a-z0-9]{{12}}@erased\.invalid", cleo.email)
    assert (cleo.erase_after, cleo.erased_at is None) == (None, False)
    for rows in (EmailAddress, Authenticator, Grant):
        assert not rows._default_manager.filter(user=cleo).exists()
    assert not cleo.groups.exists()
    assert not cleo.user_permissions.exists()
    assert not cleo.role_assignments.not_revoked().exists()
    kept = UserEventLog.objects.filter(user=cleo).order_by("pk")
    assert list(kept.values())[: len(lines)] == lines
    assert list(OwnershipTransfer.objects.order_by("pk").values()) == transfers
    assert kept.last().event == "person_erased"  # type: ignore[union-attr]


def test_the_address_is_free_for_somebody_new(cast: Cast) -> None:
    erased = erase(cast.bob)
    person = services.sign_up(
        email="bob@example.com", password=PASSWORD, name="Bob Too", organization_name="Bobs"
    )
    assert person.pk != erased.pk
    invitation = services.invite(
        organization=cast.acme, email="Eve@Example.com", by=cast.alice, now=timezone.now()
    )
    assert invitation.email == "eve@example.com"


def test_invitations_to_the_address_go_or_name_nobody(cast: Cast) -> None:
    (accepted,) = Invitation.objects.filter(email="bob@example.com")
    other = OrganizationFactory.create()
    now = timezone.now()
    pending = services.invite(
        organization=other, email="robert@example.com", by=other.owner, now=now
    )
    # By now he has another address than the one by which he was invited.
    User.objects.filter(pk=cast.bob.pk).update(email="robert@example.com")
    EmailAddress.objects.filter(user=cast.bob).update(email="robert@example.com")
    cast.bob.refresh_from_db()
    strangers = services.invite(
        organization=other, email="eve@example.com", by=other.owner, now=now
    )
    EmailAddress.objects.create(user=cast.bob, email="eve@example.com", verified=False)
    erase(cast.bob)
    accepted.refresh_from_db()
    assert accepted.email == cast.bob.email
    assert not Invitation.objects.filter(pk=pending.pk).exists()
    # Whoever claims an address without confirming it takes nothing from whose it is.
    assert Invitation.objects.filter(pk=strangers.pk).exists()


def test_who_is_erased_does_not_come_back_in_any_way(cast: Cast) -> None:
    deletion = delete(cast.bob)
    services.erase_deleted_people(now=after(seconds=1))
    link = reverse("orgs:come_back", args=[emails.come_back_token(deletion)])
    assert Client().post(link, {"password": PASSWORD}).status_code == 410
    with pytest.raises(accounts.PersonErased):
        services.come_back(deletion=deletion, now=timezone.now())
    with pytest.raises(accounts.PersonErased):
        services.restore(user=cast.bob, by=cast.dana)
    with pytest.raises(accounts.PersonErased):
        accounts.set_active(person=cast.bob, is_active=True, by=cast.dana)
    with pytest.raises(accounts.PersonErased):
        services.request_erasure(user=cast.bob, by=cast.dana, reason="Again.", now=timezone.now())
    client = signed_in(cast.dana)
    change = reverse("admin:accounts_user_change", args=[cast.bob.pk])
    for page in ("restore", "erase"):
        url = reverse(f"admin:accounts_user_{page}", args=[cast.bob.pk])
        told = client.post(url, {"reason": "Again."}, follow=True).content.decode()
        assert "This person was erased, and cannot be brought back." in told
    told = client.post(change, {"name": "Bob", "is_active": "on"}).content.decode()
    assert "This person was erased, and cannot be brought back." in told
    cast.bob.refresh_from_db()
    assert (cast.bob.name, cast.bob.is_active) == ("", False)


# --- Staff ------------------------------------------------------------------------------------


def test_whom_staff_deleted_stays_until_staff_have_them_erased(cast: Cast) -> None:
    services.soft_delete(user=cast.bob, by=cast.dana, reason="Left.")
    assert services.erase_deleted_people(now=after(days=1000)) == 0
    url = reverse("admin:accounts_user_erase", args=[cast.bob.pk])
    client = signed_in(cast.dana)
    assert "What goes in 30 days" in client.get(url).content.decode()
    assert client.post(url, {"reason": " "}).status_code == 422
    done = client.post(url, {"reason": "Asked for in writing."}, follow=True).content.decode()
    assert "The data of bob@example.com will be erased" in done
    line = UserEventLog.objects.get(event="erasure_requested")
    deletion = cast.bob.soft_deletions.get()
    assert (line.user, line.actor, line.organization) == (cast.bob, cast.dana, cast.acme)
    assert line.data["deletion"] == deletion.pk
    assert "Asked" not in str(line.data)
    assert deletion.erasure_reason == "Asked for in writing."
    assert "Restore them to call it off." in client.get(url).content.decode()
    assert client.post(url, {"reason": "Again."}).status_code == 422
    assert services.erase_deleted_people(now=after(seconds=-60)) == 0
    assert services.erase_deleted_people(now=after(seconds=60)) == 1
    deletion.refresh_from_db()
    assert (deletion.reason, deletion.erasure_reason) == ("Erased.", "Erased.")


def test_restoring_calls_the_erasure_off(cast: Cast) -> None:
    services.soft_delete(user=cast.bob, by=cast.dana, reason="Left.")
    services.request_erasure(user=cast.bob, by=cast.dana, reason="Asked.", now=timezone.now())
    services.restore(user=cast.bob, by=cast.dana)
    assert services.erase_deleted_people(now=after(days=1)) == 0
    cast.bob.refresh_from_db()
    assert cast.bob.email == "bob@example.com"


def test_each_refusal_to_erase_has_its_name(cast: Cast) -> None:
    now = timezone.now()
    with pytest.raises(services.NotDeleted):
        services.request_erasure(user=cast.bob, by=cast.dana, reason="So.", now=now)
    services.soft_delete(user=cast.bob, by=cast.dana, reason="Left.")
    with pytest.raises(services.ReasonMissing):
        services.request_erasure(user=cast.bob, by=cast.dana, reason=" ", now=now)
    with pytest.raises(services.NotAllowed):
        services.request_erasure(user=cast.bob, by=cast.alice, reason="Mine.", now=now)
    services.request_erasure(user=cast.bob, by=cast.dana, reason="So.", now=now)
    with pytest.raises(services.AlreadyToErase):
        services.request_erasure(user=cast.bob, by=cast.dana, reason="So.", now=now)


def test_only_staff_with_the_permission_open_the_page(cast: Cast) -> None:
    services.soft_delete(user=cast.bob, by=cast.dana, reason="Left.")
    staff = make_developer("orgs.view_organization", "accounts.view_user")
    url = reverse("admin:accounts_user_erase", args=[cast.bob.pk])
    change = reverse("admin:accounts_user_change", args=[cast.bob.pk])
    assert signed_in(staff).get(url).status_code == 403
    assert url not in signed_in(staff).get(change).content.decode()
    allow(staff, ERASE)
    assert signed_in(staff).get(url).status_code == 200
    assert url in signed_in(staff).get(change).content.decode()


def test_a_developer_is_erased_with_what_they_could_do(cast: Cast) -> None:
    staff = make_developer("orgs.view_organization", is_superuser=True)
    services.soft_delete(user=staff, by=cast.dana, reason="Left us.")
    services.request_erasure(user=staff, by=cast.dana, reason="So.", now=timezone.now())
    assert services.erase_deleted_people(now=after(seconds=1)) == 1
    staff.refresh_from_db()
    assert (staff.is_staff, staff.is_superuser, staff.user_type) == (False, False, "developer")


# --- The daily command ------------------------------------------------------------------------


def test_the_daily_command_says_what_it_did_and_repeats_nothing(cast: Cast) -> None:
    delete(cast.bob)
    delete(cast.charlie)
    said = StringIO()
    call_command("erase_deleted_people", stdout=said)
    with time_machine.travel(after(seconds=1)):
        call_command("erase_deleted_people", stdout=said)
        erased = list(User.objects.order_by("pk").values())
        call_command("erase_deleted_people", stdout=said)
    assert said.getvalue().splitlines() == ["0 erased.", "2 erased.", "0 erased."]
    assert list(User.objects.order_by("pk").values()) == erased


def test_killed_in_the_middle_nobody_is_erased_by_half(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasure, "BATCH", 2)
    people = [add_member(cast.acme) for _ in range(5)]
    for person in people:
        delete(person)
    done: list[int] = []

    @receiver(post_save, sender=UserEventLog)
    def die_at_the_fourth(instance: UserEventLog, **kwargs: Any) -> None:
        assert instance.user_id is not None
        done.append(instance.user_id)
        if len(done) == 4:
            raise KeyboardInterrupt

    try:
        with pytest.raises(KeyboardInterrupt):
            services.erase_deleted_people(now=after(seconds=1))
    finally:
        post_save.disconnect(die_at_the_fourth, sender=UserEventLog)
    erased = User.objects.filter(erased_at__isnull=False)
    # The first batch is done, and nothing of the second.
    assert set(erased.values_list("pk", flat=True)) == set(done[:2])
    assert EmailAddress.objects.filter(user__in=people).count() == 3
    assert UserEventLog.objects.filter(event="person_erased").count() == 2
    assert services.erase_deleted_people(now=after(seconds=1)) == 3


def test_the_batches_are_of_bounded_size(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasure, "BATCH", 2)
    for _ in range(5):
        delete(PersonFactory.create())
    late = after(seconds=1)
    assert [erasure._erase_some(late) for _ in range(4)] == [2, 2, 1, 0]


def test_nobody_can_take_the_address_of_an_erasure_before_it(cast: Cast) -> None:
    """Or one sign-up would keep everybody of a batch from being erased."""
    PersonFactory.create(email=f"erased-{cast.bob.pk}@erased.invalid")
    erase(cast.bob)
    assert cast.bob.erased_at is not None


# --- The database -----------------------------------------------------------------------------

USER = "UPDATE accounts_user SET"
NOW = "CURRENT_TIMESTAMP"


@pytest.mark.parametrize(
    "harm",
    [
        f"{USER} erased_at = {NOW} WHERE id = {{bob}}",
        f"{USER} erase_after = {NOW} WHERE id = {{bob}}",
        f"{USER} erased_at = {NOW} WHERE id = {{deleted}}",
        f"{USER} deleted_at = NULL WHERE id = {{leaving}}",
        f"{USER} deleted_at = NULL, is_active = TRUE WHERE id = {{erased}}",
        f"{USER} is_active = TRUE WHERE id = {{erased}}",
        f"{USER} name = 'Bob' WHERE id = {{erased}}",
        f"{USER} email = 'bob@example.com' WHERE id = {{erased}}",
        f"{USER} email = 'bob@erased.invalid' WHERE id = {{erased}}",
        f"{USER} password = 'md5$x$y' WHERE id = {{erased}}",
        f"{USER} erase_after = {NOW} WHERE id = {{erased}}",
        f"{USER} is_superuser = TRUE WHERE id = {{erased}}",
    ],
)
def test_the_database_refuses_who_is_erased_by_half(cast: Cast, harm: str) -> None:
    erased = erase(PersonFactory.create())
    leaving, deleted = add_member(cast.acme), add_member(cast.acme)
    delete(leaving)
    services.soft_delete(user=deleted, by=cast.dana, reason="Left.")
    people = {"bob": cast.bob, "erased": erased, "leaving": leaving, "deleted": deleted}
    sql = harm.format(**{name: person.pk for name, person in people.items()})
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
        connection.check_constraints()
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=erased.pk).update(deleted_at=None)


def test_an_erased_person_is_no_obstacle_to_the_removal_of_their_organization(cast: Cast) -> None:
    erase(cast.bob)
    add_member(cast.acme)
    services.close_organization(organization=cast.acme, by=cast.alice, now=timezone.now())
    assert services.remove_closed_organizations(now=after(days=1)) == (1, 0)
    assert not Organization.objects.exists()
    assert log_in(cast.alice).get(reverse("home")).status_code == 200
