"""The one cast of the tests: Alice owns, Bob is on her team, Charlie is outside, Dana develops."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.test import Client
from django.utils import timezone
from factory.base import Factory
from factory.declarations import Sequence, SubFactory
from factory.faker import Faker

from accounts import services as accounts
from accounts.models import User, UserType
from billing.models import Standing, Status
from orgs import services
from orgs.models import Organization, Tier

PASSWORD = "correct horse battery"


class PersonFactory(Factory[User]):
    """A person who belongs to no organization, with a confirmed address.

    They were active a moment ago, so that their next page costs what most pages cost.
    """

    class Meta:
        model = User

    email = Sequence(lambda n: f"person{n}@example.com")
    name = Faker("name")
    password = PASSWORD
    user_type = UserType.MEMBER
    is_staff = False
    is_superuser = False
    is_email_verified = True

    @classmethod
    def _create(cls, model_class: type[User], *args: object, **kwargs: object) -> User:
        person = accounts.create_person(**kwargs)  # type: ignore[arg-type]
        person.last_active = timezone.now()
        person.save(update_fields=["last_active"])
        return person


class OrganizationFactory(Factory[Organization]):
    """An organization founded by a new person, or by `owner`."""

    class Meta:
        model = Organization

    name = Sequence(lambda n: f"Team {n}")
    owner = SubFactory(PersonFactory)

    @classmethod
    def _create(
        cls, model_class: type[Organization], *args: object, **kwargs: object
    ) -> Organization:
        return services.found_organization(**kwargs)  # type: ignore[arg-type]


def add_member(organization: Organization, **fields: object) -> User:
    """Invite a new person and let them accept."""
    person: User = PersonFactory.create(**fields)
    invitation = services.invite(
        organization=organization, email=person.email, by=organization.owner, now=timezone.now()
    )
    services.accept_invitation(invitation=invitation, person=person, now=timezone.now())
    person.refresh_from_db()
    return person


def signed_in(person: User) -> Client:
    """A browser with a session of this person."""
    client = Client()
    client.force_login(person)
    return client


@dataclass(frozen=True)
class Cast:
    alice: User
    bob: User
    charlie: User
    dana: User
    acme: Organization


def make_cast() -> Cast:
    # Seats are for the tests about them; the others have as many people as they need.
    Tier.objects.update(seat_limit=None)
    alice = PersonFactory.create(email="alice@example.com", name="Alice Adams")
    acme = services.found_organization(name="Acme", owner=alice)
    alice.refresh_from_db()
    return Cast(
        alice=alice,
        bob=add_member(acme, email="bob@example.com", name="Bob Brown"),
        charlie=PersonFactory.create(email="charlie@example.com", name="Charlie Clark"),
        dana=PersonFactory.create(
            email="dana@example.com",
            name="Dana Diaz",
            user_type=UserType.DEVELOPER,
            is_staff=True,
            is_superuser=True,
        ),
        acme=acme,
    )


def lock(
    organization: Organization, since: datetime | None = None, reason: str = "payment_failed"
) -> None:
    """Write what a sync writes when billing lapses."""
    Organization.objects.filter(pk=organization.pk).update(locked_from=since or timezone.now())
    Standing.objects.filter(organization=organization).update(status=Status.PAST_DUE, reason=reason)
