"""Writes about persons, and the one function that writes the log."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts import activity
from accounts.events import Event
from accounts.haste import hurried
from accounts.models import ActiveWeek, ActiveWeekTotal, User, UserEventLog, UserType
from accounts.request_context import current_facts

# So many rows are removed in one transaction.
BATCH = 10_000


class AddressTaken(Exception):
    """Somebody has this e-mail address."""


class OwnsOrganization(Exception):
    """The person answers for an organization, and cannot go before it is handed on."""

    def __str__(self) -> str:
        return str(
            _(
                "This person owns an organization. Transfer ownership first: the owner asks for "
                "it on the team page, and staff do it on the organization's page in the admin."
            )
        )


class PersonDeleted(Exception):
    """The person was soft-deleted, and has to be restored first."""

    def __str__(self) -> str:
        return str(_("This person was deleted. Restore them first."))


class PersonErased(Exception):
    """The person was erased: nothing is left that could be brought back."""

    def __str__(self) -> str:
        return str(_("This person was erased, and cannot be brought back."))


def record_event(
    event: Event,
    *,
    user: User | None = None,
    actor: User | None = None,
    organization_id: int | None = None,
    data: dict[str, Any] | None = None,
) -> UserEventLog:
    """Write one line of the log, in the caller's transaction.

    `data` holds ids and plain facts: no names, no addresses, never a secret (docs/rules.md,
    "The log"). Address, device, request and impersonator are those of the current request.
    """
    facts = current_facts()
    return UserEventLog.objects.create(
        event=event,
        user=user,
        actor=actor,
        organization_id=organization_id,
        data=data or {},
        impersonator_id=None
        if actor and actor.pk == facts.impersonator_id
        else facts.impersonator_id,
        ip_address=facts.ip_address,
        device=facts.device,
        request_id=facts.request_id,
    )


@transaction.atomic
def create_person(
    *,
    email: str,
    password: str | None,
    name: str = "",
    user_type: UserType = UserType.MEMBER,
    is_staff: bool = False,
    is_superuser: bool = False,
    is_email_verified: bool = False,
) -> User:
    """Create a person and the record of their e-mail address.

    Raises AddressTaken, and ValidationError for a bad field. The caller has validated the
    password: its rules are the form's, so that the person can be told.
    """
    user = User(
        email=User.objects.normalize_email(email),
        name=name.strip(),
        user_type=user_type,
        is_staff=is_staff,
        is_superuser=is_superuser,
    )
    user.set_password(password)
    user.clean_fields()
    # The database is the judge of who has an address: of two sign-ups at once, one is told.
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError as error:
        if User.objects.filter(email=user.email).exists():
            raise AddressTaken from error
        raise
    EmailAddress.objects.create(
        user=user, email=user.email, primary=True, verified=is_email_verified
    )
    record_event(Event.PERSON_CREATED, user=user, actor=user, data={"type": user.user_type})
    return user


@transaction.atomic
def rename_person(*, person: User, name: str, by: User) -> None:
    """Change what a person is called. Raises ValidationError for a bad name."""
    person = User.objects.select_for_update().get(pk=person.pk)
    name = name.strip()
    if person.name == name:
        return
    person.name = User._meta.get_field("name").clean(name, person)
    person.save(update_fields=["name"])
    record_event(
        Event.PERSON_RENAMED, user=person, actor=by, organization_id=person.organization_id
    )


@transaction.atomic
def set_active(*, person: User, is_active: bool, by: User) -> None:
    """Let a person in again, or keep them out: they cannot log in, and open sessions end.

    Raises OwnsOrganization; PersonDeleted: restoring brings back what they were; and PersonErased.
    """
    person = User.objects.select_for_update().get(pk=person.pk)
    if person.is_active == is_active:
        return
    require_not_erased(person)
    if person.deleted_at is not None:
        raise PersonDeleted
    if not is_active:
        require_not_owner(person)
        end_sessions(person)
    person.is_active = is_active
    person.save(update_fields=["is_active"])
    record_event(
        Event.PERSON_ACTIVATED if is_active else Event.PERSON_DEACTIVATED,
        user=person,
        actor=by,
        organization_id=person.organization_id,
    )


@transaction.atomic
def delete_person(*, person: User, by: User) -> None:
    """Remove a person for good. What they did stays in the log. Raises OwnsOrganization."""
    person = User.objects.select_for_update().get(pk=person.pk)
    require_not_owner(person)
    record_event(
        Event.PERSON_DELETED, user=person, actor=by, organization_id=person.organization_id
    )
    person.delete()


@transaction.atomic
def end_other_sessions(*, person: User, by: User) -> User:
    """Have every session of this person end, and return them as they are now.

    The caller keeps the session at hand: accounts.sessions.keep_session.
    """
    person = User.objects.select_for_update().get(pk=person.pk)
    end_sessions(person)
    record_event(
        Event.SESSIONS_ENDED, user=person, actor=by, organization_id=person.organization_id
    )
    return person


def end_sessions(person: User) -> None:
    """Have every session of this person end: their next request finds them logged out.

    The caller holds the lock on the person's row.
    """
    person.session_generation += 1
    person.save(update_fields=["session_generation"])


def require_not_owner(person: User) -> None:
    """Raise OwnsOrganization for an owner, who has to hand the organization on first."""
    if person.owned_organizations.exists():
        raise OwnsOrganization


def note_activity(*, person: User, now: datetime) -> bool:
    """Write that the person is active, unless that was written within LAST_ACTIVE_INTERVAL.

    Returns whether it was written. Of several at once one writes, and time never goes back.
    `person` is as the request loaded them, so that most calls make no statement. Raises
    OperationalError when the database cannot write at once.
    """
    interval = timedelta(seconds=settings.LAST_ACTIVE_INTERVAL)
    if not activity.is_due(person.last_active, now, interval):
        return False
    # Asked again in the statement that writes: another process may have written meanwhile.
    is_due = Q(last_active__isnull=True) | Q(last_active__lte=now - interval)
    with hurried():
        if not User.objects.filter(is_due, pk=person.pk).update(last_active=now):
            return False
        if person.organization_id is not None:
            week = ActiveWeek(
                person=person,
                organization_id=person.organization_id,
                week=activity.week_of(now),
            )
            # Mostly it is there, and the database looks it up and writes nothing.
            ActiveWeek.objects.bulk_create([week], ignore_conflicts=True)
    person.last_active = now
    return True


def note_reading(*, person: User, time_zone: str, language: str) -> bool:
    """Write in which zone and language the person reads, if it has changed.

    Returns whether it was written. `person` is as the request loaded them, so that most calls make
    no statement. Raises OperationalError when the database cannot write at once.
    """
    if (person.time_zone, person.language) == (time_zone, language):
        return False
    with hurried():
        User.objects.filter(pk=person.pk).update(time_zone=time_zone, language=language)
    person.time_zone, person.language = time_zone, language
    return True


def sum_up_activity(*, now: datetime) -> tuple[int, int]:
    """Sum up the weeks that are over, once each, and forget who was active in those too old to be
    shown. Returns how many weeks were summed up, and how many rows are gone."""
    present = activity.week_of(now - activity.SETTLED_AFTER)
    over = ActiveWeek.objects.filter(week__lt=present)
    new = over.exclude(week__in=ActiveWeekTotal.objects.values("week"))
    totals = [
        ActiveWeekTotal(week=week, people=people, organizations=organizations)
        for week, people, organizations in new.counted_by_week()
    ]
    ActiveWeekTotal.objects.bulk_create(totals, ignore_conflicts=True)
    old = over.filter(week__lt=activity.shown_weeks(now)[0])
    removed = 0
    while keys := list(old.values_list("pk", flat=True)[:BATCH]):
        removed += len(keys)
        old.filter(pk__in=keys).delete()
    return len(totals), removed


def require_not_erased(person: User) -> None:
    """Raise PersonErased for somebody of whom nothing is left."""
    if person.erased_at is not None:
        raise PersonErased
