"""I1 to I3: an organization has one owner, who is an active member of it. The database says so.

Each attack goes around the services, and must be refused at commit at the latest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import IntegrityError, connection, models, transaction
from django.utils import timezone

from accounts.models import User, UserType
from orgs.models import Organization
from tests.cast import Cast, OrganizationFactory, PersonFactory, make_cast

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass(frozen=True)
class Stage:
    """Two teams, so that attacks have somewhere to move people."""

    cast: Cast
    other: Organization


@pytest.fixture
def stage(transactional_db: None) -> Stage:
    return Stage(make_cast(), OrganizationFactory.create())


def execute(sql: str, *params: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)


def set_owner(stage: Stage, owner_id: Any) -> None:
    Organization.objects.filter(pk=stage.cast.acme.pk).update(owner_id=owner_id)


def change_alice(stage: Stage, **fields: Any) -> None:
    User.objects.filter(pk=stage.cast.alice.pk).update(**fields)


def save_alice(stage: Stage, **fields: Any) -> None:
    alice = User.objects.get(pk=stage.cast.alice.pk)
    for name, value in fields.items():
        setattr(alice, name, value)
    alice.save(update_fields=list(fields))


ATTACKS: dict[str, Callable[[Stage], object]] = {
    "no owner": lambda s: set_owner(s, None),
    "no owner, raw": lambda s: execute("UPDATE orgs_organization SET owner_id = NULL"),
    "an owner who does not exist": lambda s: set_owner(s, 10**9),
    "an outsider as owner": lambda s: set_owner(s, s.cast.charlie.pk),
    "an outsider as owner, raw": lambda s: execute(
        "UPDATE orgs_organization SET owner_id = %s WHERE id = %s",
        s.cast.charlie.pk,
        s.cast.acme.pk,
    ),
    "a developer as owner": lambda s: set_owner(s, s.cast.dana.pk),
    "another team's owner": lambda s: set_owner(s, s.other.owner_id),
    "swapped owners in one statement": lambda s: Organization.objects.update(
        owner_id=models.Case(
            models.When(pk=s.cast.acme.pk, then=s.other.owner_id),
            default=s.cast.alice.pk,
        )
    ),
    "owner deactivated": lambda s: change_alice(s, is_active=False),
    "owner deactivated, saved": lambda s: save_alice(s, is_active=False),
    "owner deactivated, raw": lambda s: execute(
        "UPDATE accounts_user SET is_active = %s WHERE id = %s", False, s.cast.alice.pk
    ),
    "owner soft-deleted": lambda s: change_alice(s, deleted_at=timezone.now()),
    "owner moved away": lambda s: change_alice(s, organization=s.other),
    "owner of nothing": lambda s: change_alice(s, organization=None),
    "owner made a developer": lambda s: change_alice(
        s, user_type=UserType.DEVELOPER, organization=None
    ),
    "owner deactivated by bulk_update": lambda s: User.objects.bulk_update(
        [User(pk=s.cast.alice.pk, is_active=False)], ["is_active"]
    ),
    "owner deleted, raw": lambda s: execute(
        "DELETE FROM accounts_user WHERE id = %s", s.cast.alice.pk
    ),
    "organization with members deleted, raw": lambda s: execute(
        "DELETE FROM orgs_organization WHERE id = %s", s.cast.acme.pk
    ),
    "organization born without an owner": lambda s: execute(
        "INSERT INTO orgs_organization (name, slug, billing_email, created_at) "
        "VALUES ('x', 'x', '', %s)",
        timezone.now(),
    ),
    "organization born with an outsider as owner": lambda s: Organization.objects.create(
        name="Thieves", slug="thieves", owner=s.cast.charlie
    ),
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_the_database_refuses(stage: Stage, attack: Callable[[Stage], object]) -> None:
    before = list(Organization.objects.order_by("pk").values("pk", "owner_id"))
    with pytest.raises(IntegrityError), transaction.atomic():
        attack(stage)
    assert list(Organization.objects.order_by("pk").values("pk", "owner_id")) == before
    alice = User.objects.get(pk=stage.cast.alice.pk)
    assert (alice.is_present, alice.organization_id) == (True, stage.cast.acme.pk)


def test_django_protects_an_owner_from_deletion(stage: Stage) -> None:
    with pytest.raises(models.ProtectedError):
        stage.cast.alice.delete()


def test_an_ordinary_member_can_be_deactivated_moved_and_deleted(stage: Stage) -> None:
    bob = User.objects.filter(pk=stage.cast.bob.pk)
    bob.update(is_active=False)
    bob.update(organization=stage.other, is_active=True)
    bob.update(organization=None)
    bob.delete()
    assert not User.objects.filter(email="bob@example.com").exists()


def test_person_and_organization_may_be_written_in_either_order_in_one_transaction(
    transactional_db: None,
) -> None:
    person = PersonFactory.create()
    with transaction.atomic():
        organization = Organization.objects.create(name="New", slug="new", owner=person)
        User.objects.filter(pk=person.pk).update(organization=organization)
    organization.refresh_from_db()
    assert organization.owner == person
