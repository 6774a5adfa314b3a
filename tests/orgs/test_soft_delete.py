"""Soft delete and restore: exactly what the deletion ended comes back, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from guardian.shortcuts import assign_perm

from accounts import services as accounts
from accounts.models import User, UserEventLog
from orgs import emails, services
from orgs.models import Grant, Organization, Role, SoftDeletion, Tier, UserRoleAssignment
from tests.cast import (
    PASSWORD,
    Cast,
    OrganizationFactory,
    PersonFactory,
    add_member,
    signed_in,
)

pytestmark = pytest.mark.django_db

INVITE = "orgs.invite_members"


def role(key: str) -> Role:
    return Role.objects.get(key=key, organization=None)


def give(person: User, key: str, by: User) -> UserRoleAssignment:
    return services.assign_role(user=person, role=role(key), by=by, now=timezone.now())


def take(person: User, key: str, by: User) -> UserRoleAssignment:
    return services.revoke_role(user=person, role=role(key), by=by, now=timezone.now())


def delete(cast: Cast, person: User) -> SoftDeletion:
    return services.soft_delete(user=person, by=cast.dana, reason="Left the company.")


def restore(cast: Cast, person: User, **how: Any) -> SoftDeletion:
    return services.restore(user=person, by=cast.dana, **how)


def state_of(person: User) -> dict[str, Any]:
    """All of a person that a deletion could touch."""
    rows = {
        "person": User.objects.filter(pk=person.pk).values(
            "organization", "is_active", "deleted_at", "user_type", "name", "password"
        ),
        "roles": UserRoleAssignment.objects.filter(user=person).order_by("pk").values(),
        "grants": Grant.objects.filter(user=person)
        .order_by("permission", "content_object")
        .values("permission", "content_object"),
    }
    return {name: list(each) for name, each in rows.items()}


@pytest.fixture
def bob(cast: Cast) -> User:
    """Bob, who holds two roles and a grant, and held a third role before."""
    for key in ("billing_viewer", "member", "admin"):
        give(cast.bob, key, cast.alice)
    take(cast.bob, "admin", cast.alice)
    assign_perm(INVITE, cast.bob, cast.acme)
    return cast.bob


def held(person: User) -> set[str]:
    return set(person.role_assignments.active().values_list("role__key", flat=True))


def test_a_deletion_ends_what_was_active_and_remembers_it(cast: Cast, bob: User) -> None:
    revoked = bob.role_assignments.get(role__key="admin")
    deletion = delete(cast, bob)
    bob.refresh_from_db()
    assert (bob.is_active, bob.organization) == (False, cast.acme)
    assert bob.deleted_at == deletion.deleted_at
    assert held(bob) == set()
    assert not Grant.objects.filter(user=bob).exists()
    assert (deletion.was_active, deletion.by, deletion.reason) == (
        True,
        cast.dana,
        "Left the company.",
    )
    assert deletion.grants == [{"permission": INVITE, "organization": cast.acme.pk}]
    ended = {each.role.key for each in deletion.disabled_assignments.all()}
    assert ended == {"billing_viewer", "member"}
    before = revoked.revoked_at
    revoked.refresh_from_db()
    assert (revoked.disabled_by, revoked.revoked_at) == (None, before)
    line = UserEventLog.objects.get(event="person_soft_deleted")
    assert (line.user, line.actor, line.organization) == (bob, cast.dana, cast.acme)
    assert line.data["deletion"] == deletion.pk


def test_delete_then_restore_is_the_identity(cast: Cast, bob: User) -> None:
    before = state_of(bob)
    delete(cast, bob)
    assert state_of(bob) != before
    deletion = restore(cast, bob)
    assert state_of(bob) == before
    assert (deletion.restored_by, deletion.restored_at is None) == (cast.dana, False)
    line = UserEventLog.objects.get(event="person_restored")
    assert sorted(line.data["roles"]) == sorted(
        bob.role_assignments.active().values_list("pk", flat=True)
    )


def test_the_active_flag_comes_back_as_it_was(cast: Cast, bob: User) -> None:
    accounts.set_active(person=bob, is_active=False, by=cast.dana)
    before = state_of(bob)
    delete(cast, bob)
    with pytest.raises(accounts.PersonDeleted):
        accounts.set_active(person=bob, is_active=True, by=cast.dana)
    restore(cast, bob)
    assert state_of(bob) == before


def test_none_comes_back_or_only_what_is_chosen(cast: Cast, bob: User) -> None:
    delete(cast, bob)
    restore(cast, bob, roles=[role("member"), role("admin")])
    assert held(bob) == {"member"}
    assert Grant.objects.filter(user=bob).count() == 1
    delete(cast, bob)
    restore(cast, bob, roles="none")
    assert held(bob) == set()
    assert not Grant.objects.filter(user=bob).exists()
    # What was left out has ended for good: a later deletion brings none of it back.
    delete(cast, bob)
    restore(cast, bob)
    assert held(bob) == set()
    assert not bob.role_assignments.not_revoked().exists()


def test_what_is_revoked_meanwhile_stays_revoked(cast: Cast, bob: User) -> None:
    delete(cast, bob)
    take(bob, "member", cast.alice)
    restore(cast, bob)
    assert held(bob) == {"billing_viewer"}
    assert bob.role_assignments.get(role__key="member").revoked_by == cast.alice


def test_a_role_that_is_gone_meanwhile_does_not_come_back(cast: Cast, bob: User) -> None:
    Organization.objects.update(tier=Tier.objects.get(key="business"))
    own = services.create_role(
        organization=cast.acme, name="Own", permissions=(), by=cast.alice, now=timezone.now()
    )
    services.assign_role(user=bob, role=own, by=cast.alice, now=timezone.now())
    delete(cast, bob)
    services.delete_role(role=own, by=cast.alice, now=timezone.now())
    restore(cast, bob)
    assert held(bob) == {"billing_viewer", "member"}


def test_a_deleted_person_is_given_nothing(cast: Cast, bob: User) -> None:
    delete(cast, bob)
    with pytest.raises(services.NotAMember):
        give(bob, "admin", cast.alice)


def test_the_seat_is_free_meanwhile_and_needed_to_come_back(cast: Cast, bob: User) -> None:
    delete(cast, bob)
    Tier.objects.filter(key="free").update(seat_limit=2)
    cleo = add_member(cast.acme)
    with pytest.raises(services.NoSeatLeft):
        restore(cast, bob)
    bob.refresh_from_db()
    assert bob.deleted_at is not None
    services.remove_member(organization=cast.acme, user=cleo, by=cast.alice, now=timezone.now())
    restore(cast, bob)
    assert held(bob) == {"billing_viewer", "member"}


def test_a_developer_is_deleted_and_restored_with_their_grants_everywhere(cast: Cast) -> None:
    eve = PersonFactory.create(user_type="developer")
    give(eve, "support", cast.dana)
    assign_perm(INVITE, eve, cast.acme)
    assign_perm(INVITE, eve, OrganizationFactory.create())
    before = state_of(eve)
    delete(cast, eve)
    restore(cast, eve)
    assert state_of(eve) == before


def test_the_owner_is_not_deleted_before_a_transfer(cast: Cast) -> None:
    with pytest.raises(accounts.OwnsOrganization, match="Transfer ownership first"):
        delete(cast, cast.alice)


def test_each_refusal_has_its_name_and_changes_nothing(cast: Cast, bob: User) -> None:
    before = state_of(bob)
    with pytest.raises(services.NotAllowed):
        services.soft_delete(user=bob, by=cast.alice, reason="Mine.")
    with pytest.raises(services.ReasonMissing):
        services.soft_delete(user=bob, by=cast.dana, reason="  ")
    with pytest.raises(services.NotDeleted):
        restore(cast, bob)
    assert state_of(bob) == before
    delete(cast, bob)
    with pytest.raises(services.AlreadyDeleted):
        delete(cast, bob)
    with pytest.raises(services.NotAllowed):
        services.restore(user=bob, by=cast.alice)


def test_a_deleted_person_is_logged_out_and_cannot_come_back_in(cast: Cast, bob: User) -> None:
    session = signed_in(bob)
    delete(cast, bob)
    assert session.get(reverse("home")).context["user"].is_anonymous
    fresh = Client()
    fresh.post(reverse("account_login"), {"login": bob.email, "password": PASSWORD})
    assert "_auth_user_id" not in fresh.session
    mail.outbox.clear()
    fresh.post(reverse("account_reset_password"), {"email": bob.email})
    assert not any("password/reset/key" in str(each.body) for each in mail.outbox)
    restore(cast, bob)
    # The session from before the deletion is over for good.
    assert session.get(reverse("home")).context["user"].is_anonymous
    fresh.post(reverse("account_login"), {"login": bob.email, "password": PASSWORD})
    assert "_auth_user_id" in fresh.session


def test_a_deleted_person_is_in_no_list_and_no_count(cast: Cast, bob: User) -> None:
    delete(cast, bob)
    client = signed_in(cast.alice)
    team = client.get(reverse("orgs:team"))
    assert bob.email not in team.content.decode()
    assert team.context["seats"].taken == 1
    assert bob not in cast.acme.eligible_owners()
    asked = client.post(reverse("orgs:invite"), {"email": bob.email})
    assert "Ask our staff to restore them" in asked.content.decode()


def test_a_deleted_person_accepts_no_invitation(cast: Cast) -> None:
    invitation = services.invite(
        organization=cast.acme, email=cast.charlie.email, by=cast.alice, now=timezone.now()
    )
    delete(cast, cast.charlie)
    page = Client().get(reverse("orgs:invitation", args=[emails.invitation_token(invitation)]))
    assert "The account of this address is not in use any more." in page.content.decode()
    with pytest.raises(services.WrongPerson):
        services.accept_invitation(invitation=invitation, person=cast.charlie, now=timezone.now())


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE accounts_user SET deleted_at = CURRENT_TIMESTAMP WHERE id = {bob}",
        "UPDATE accounts_user SET is_active = TRUE WHERE id = {deleted}",
        "UPDATE orgs_userroleassignment SET disabled_by_id = {deletion}, is_active = FALSE "
        "WHERE user_id = {bob}",
        "UPDATE orgs_userroleassignment SET is_active = FALSE WHERE user_id = {bob}",
        "UPDATE orgs_userroleassignment SET is_active = TRUE "
        "WHERE user_id = {deleted} AND disabled_by_id IS NOT NULL",
        "UPDATE orgs_softdeletion SET reason = ''",
        "INSERT INTO orgs_softdeletion (user_id, reason, deleted_at, was_active, grants) "
        "VALUES ({deleted}, 'Again.', CURRENT_TIMESTAMP, TRUE, '[]')",
        "DELETE FROM orgs_softdeletion",
    ],
)
def test_the_database_refuses_what_no_deletion_does(cast: Cast, bob: User, harm: str) -> None:
    cleo = add_member(cast.acme)
    give(cleo, "member", cast.alice)
    deletion = delete(cast, cleo)
    sql = harm.format(bob=bob.pk, deleted=cleo.pk, deletion=deletion.pk)
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
        connection.check_constraints()
