"""What must hold of people, organizations and their log, each as a search for what breaks it.

The database refuses most of it (docs/rules.md, "Invariants"). It is looked for all the same:
whoever restores a backup, repairs by hand or writes without the guards is not refused. Each
search is one statement, so that it sees one moment, and streams what it finds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import (
    BigIntegerField,
    BooleanField,
    Case,
    CheckConstraint,
    Count,
    Exists,
    F,
    Max,
    Model,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextField,
    Value,
    When,
)
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Coalesce, Concat, Lower

from accounts import seeds
from accounts.events import Event
from accounts.models import User, UserEventLog, UserType
from orgs.guards import installation
from orgs.models import Organization, OwnershipTransfer

Find = Callable[[datetime], Iterator[str]]

PUT_OWNER_BACK = (
    "Somebody wrote past the database's rules. With the guards out, put the owner back whom the "
    "log and the transfers name; then put the guards back."
)


@dataclass(frozen=True)
class Invariant:
    """A sentence that holds, what to do where it does not, and the search for such rows.

    `find` takes the present time and yields a short name of each row: its kind and its key.
    """

    id: str
    sentence: str
    remedy: str
    find: Find


class Invariants(list[Invariant]):
    def add(self, id: str, sentence: str, remedy: str) -> Callable[[Find], Find]:
        """Put the decorated search on the list."""

        def decorate(find: Find) -> Find:
            self.append(Invariant(id, sentence, remedy, find))
            return find

        return decorate


INVARIANTS = Invariants()


def named(kind: str, rows: QuerySet[Any], key: str = "pk") -> QuerySet[Any, str]:
    """Name each row for a person to look up: `organization 12`."""
    text = TextField()
    name = Concat(Value(f"{kind} ", text), Cast(key, text))
    names: QuerySet[Any, str] = rows.annotate(found=name).values_list("found", flat=True)
    return names


def truth(condition: Q) -> Case:
    """Whether the condition holds of a row. Unknown, where something is null, counts as no."""
    yes, no = Value(True), Value(False)
    return Case(When(condition, then=yes), default=no, output_field=BooleanField())


def failing(rows: QuerySet[Any], condition: Q) -> QuerySet[Any]:
    """The rows of which the condition does not hold, or is unknown."""
    return rows.exclude(truth(condition))


def checks(model: type[Model], *names: str) -> Q:
    """What the database checks of each row of the model, by these constraints."""
    constraints = [each for each in model._meta.constraints if isinstance(each, CheckConstraint)]
    return Q(*(each.condition for each in constraints if each.name in names))


def number_of(rows: QuerySet[Any], group: str) -> Subquery:
    """How many rows there are for the outer row; null if none. `group` is what they share."""
    return Subquery(rows.order_by().values(group).annotate(n=Count("pk")).values("n"))


@INVARIANTS.add(
    "G1",
    "Every guard stands in the database as this version installs it.",
    "Run `manage.py migrate`, which installs the guards again; then check again.",
)
def _guards(now: datetime) -> Iterator[str]:
    return (f"guard {name}" for name in installation.missing_or_altered(connection))


@INVARIANTS.add(
    "K1",
    "Seeds of second factors are encrypted with ENCRYPTION_KEY.",
    "Run `manage.py encrypt_secrets`. What it cannot read was encrypted with another key: put that "
    "into ENCRYPTION_KEY_FALLBACKS. If it is lost, delete the second factor in the admin, and the "
    "person sets up another.",
)
def _seeds_not_encrypted(now: datetime) -> Iterator[str]:
    return (f"second factor {key}" for key in seeds.not_encrypted())


@INVARIANTS.add("I1", "Every organization has an owner, who exists.", PUT_OWNER_BACK)
def _without_owner(now: datetime) -> Iterator[str]:
    owner = User.objects.filter(pk=OuterRef("owner_id"))
    return named("organization", Organization.objects.filter(~Exists(owner))).iterator()


@INVARIANTS.add("I2", "The owner is a member.", "Transfer ownership to a member, in the admin.")
def _owned_by_outsiders(now: datetime) -> Iterator[str]:
    is_member = Q(owner__organization=F("pk"))
    return named("organization", failing(Organization.objects.all(), is_member)).iterator()


@INVARIANTS.add(
    "I3",
    "The owner is active, not deleted, and not a developer.",
    "Activate the owner again, or transfer ownership to somebody who is, in the admin.",
)
def _owned_by_the_absent(now: datetime) -> Iterator[str]:
    may_own = Q(owner__is_active=True, owner__deleted_at=None, owner__user_type=UserType.MEMBER)
    return named("organization", failing(Organization.objects.all(), may_own)).iterator()


def _founder(organization: str) -> Subquery:
    lines = UserEventLog.objects.filter(
        event=Event.ORGANIZATION_FOUNDED, organization=OuterRef(organization)
    )
    return Subquery(lines.order_by("pk").values("user")[:1])


@INVARIANTS.add(
    "I4", "Ownership passed from the founder to the owner by transfers alone.", PUT_OWNER_BACK
)
def _owned_without_transfer(now: datetime) -> Iterator[str]:
    """Follow ownership from the founder through the transfers.

    An owner who differs from the newest transfer's is I10's; a founder unknown is L1's.
    """
    earlier = OwnershipTransfer.objects.filter(
        organization=OuterRef("organization"), pk__lt=OuterRef("pk")
    )
    before = Subquery(earlier.order_by("-pk").values("to_owner")[:1])
    transfers = OwnershipTransfer.objects.alias(former=Coalesce(before, _founder("organization")))
    torn = failing(transfers.filter(former__isnull=False), Q(from_owner=F("former")))
    never = Organization.objects.filter(ownership_transfers=None)
    taken = never.alias(founder=_founder("pk")).exclude(owner=F("founder"))
    return named("transfer", torn).union(named("organization", taken), all=True).iterator()


def _telling(event: Event) -> QuerySet[Any]:
    """The lines of this event, with the key of the transfer of which each speaks, if of any."""
    lines = UserEventLog.objects.filter(event=event)
    is_key = When(told__regex=r"^\d{1,18}$", then=Cast("told", BigIntegerField()))
    told = Cast(KT("data__transfer"), TextField())
    return lines.alias(told=told).alias(transfer=Case(is_key))


@INVARIANTS.add(
    "I5",
    "Each transfer is there, and is as the log told it.",
    "A transfer or a line was changed or removed: restore it from a backup.",
)
def _transfers_not_as_told(now: datetime) -> Iterator[str]:
    """Two records of one act give away a change of either."""
    transfers = OwnershipTransfer.objects.filter(
        pk=OuterRef("transfer"),
        organization=OuterRef("organization"),
        performed_by=OuterRef("actor"),
    )
    given = ~Exists(transfers.filter(from_owner=OuterRef("user")))
    received = ~Exists(transfers.filter(to_owner=OuterRef("user")))
    lines = named("log line", _telling(Event.OWNERSHIP_GIVEN).filter(given))
    others = named("log line", _telling(Event.OWNERSHIP_RECEIVED).filter(received))
    return lines.union(others, all=True).iterator()


@INVARIANTS.add(
    "I6",
    "A customer is in the mirror and one organization's; a member's organization exists.",
    "The newest `customer_linked` line says whose the customer is; a person whose organization "
    "is gone belongs to none.",
)
def _customers_and_members_astray(now: datetime) -> Iterator[str]:
    linked = Organization.objects.filter(stripe_customer__isnull=False)
    others = linked.filter(stripe_customer=OuterRef("stripe_customer")).exclude(pk=OuterRef("pk"))
    known = linked.filter(pk=OuterRef("pk"), stripe_customer__djstripe_id__isnull=False)
    organizations = named("organization", linked.filter(Exists(others) | ~Exists(known)))
    theirs = Organization.objects.filter(pk=OuterRef("organization_id"))
    lost = User.objects.filter(organization__isnull=False).exclude(Exists(theirs))
    return organizations.union(named("person", lost), all=True).iterator()


@INVARIANTS.add(
    "I7",
    "An e-mail address is one person, whatever its case.",
    "Give this person, the newest of those who share it, another address, or delete them.",
)
def _addresses_shared(now: datetime) -> Iterator[str]:
    by_address = User.objects.values(address=Lower("email"))
    shared = by_address.annotate(people=Count("pk"), newest=Max("pk")).filter(people__gt=1)
    return named("person", shared, "newest").iterator()


@INVARIANTS.add("I10", "The newest transfer's new owner is the owner.", PUT_OWNER_BACK)
def _owned_by_another(now: datetime) -> Iterator[str]:
    transfers = OwnershipTransfer.objects.filter(organization=OuterRef("pk")).order_by("-pk")
    newest = Subquery(transfers.values("to_owner")[:1])
    organizations = Organization.objects.alias(newest=newest).exclude(owner=F("newest"))
    return named("organization", organizations).iterator()


@INVARIANTS.add(
    "L1", "An organization's founding is in the log once.", "Restore the line from a backup."
)
def _not_founded_once(now: datetime) -> Iterator[str]:
    lines = UserEventLog.objects.filter(
        event=Event.ORGANIZATION_FOUNDED, organization=OuterRef("pk")
    )
    organizations = Organization.objects.alias(lines=number_of(lines, "organization"))
    return named("organization", failing(organizations, Q(lines=1))).iterator()


@INVARIANTS.add(
    "L2",
    "A transfer has a line for each of the two people.",
    "It was made past the service, or a line was removed: ask who performed it, and why.",
)
def _transfers_untold(now: datetime) -> Iterator[str]:
    given, received = (
        Exists(
            _telling(event).filter(organization=OuterRef("organization"), transfer=OuterRef("pk"))
        )
        for event in (Event.OWNERSHIP_GIVEN, Event.OWNERSHIP_RECEIVED)
    )
    untold = OwnershipTransfer.objects.exclude(given & received)
    return named("transfer", untold).iterator()
