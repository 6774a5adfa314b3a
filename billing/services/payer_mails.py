"""The outbox of mails to whoever pays: noting what is to be told, and sending it.

Rows are written in the transaction of the sync that noticed the fact, and sent after it. One that
cannot be sent is tried again for three days, and then left for staff to see.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django_tasks import task

from accounts import services as accounts
from accounts.events import Event
from accounts.models import User
from billing import mails
from billing.models import PayerMail
from billing.notices import LOCK_KINDS, PASSING, Kind, Notice, news
from orgs import clock
from orgs.models import Organization

logger = logging.getLogger(__name__)

# The pause after each attempt. Longer than an attempt can take, so that nobody else begins one
# meanwhile: settings.EMAIL_TIMEOUT bounds it.
PAUSES = tuple(
    timedelta(minutes=minutes) for minutes in (2, 5, 15, 60, 180, 360, 720, 1440, 1440, 1440)
)
# So many failures one after the other end a round.
MOST_FAILURES = 3


class NotGivenUp(Exception):
    """This mail was sent, is being tried, or is no longer true: there is nothing to repeat."""


def note(organization: Organization, held: Iterable[Notice], now: datetime) -> None:
    """Put what is to be told into the outbox, inside the caller's transaction.

    `held` is all that holds now. What is still unsent of what no longer holds is withdrawn. The
    caller has locked the organization.
    """
    held = list(held)
    keys = {notice.key for notice in held}
    # Besides what is about the same objects, that which may have told of the same lock.
    matters = Q(kind__in=LOCK_KINDS) | Q(stripe_object__in={key.stripe_object for key in keys})
    rows = list(
        PayerMail.objects.filter(matters | Q(sent_at=None), organization=organization).filter(
            withdrawn_at=None
        )
    )
    for row in rows:
        is_over = row.sent_at is None and row.kind in PASSING and row.key not in keys
        # The end of a lock is news while there is no other.
        if is_over and not (row.kind == Kind.UNLOCKED and not organization.is_locked(now)):
            row.next_attempt_at, row.failed_at, row.withdrawn_at = None, None, now
            row.save(update_fields=["next_attempt_at", "failed_at", "withdrawn_at"])
    told = {row.key: row.facts for row in rows if row.withdrawn_at is None}
    fresh = news(held, told)
    for notice in fresh:
        PayerMail.objects.update_or_create(
            organization=organization,
            kind=notice.key.kind,
            stripe_object=notice.key.stripe_object,
            since=notice.key.since,
            defaults={
                "facts": notice.facts,
                "created_at": now,
                "next_attempt_at": now,
                "withdrawn_at": None,
                "attempts": 0,
                "last_error": "",
            },
        )
    if fresh:
        transaction.on_commit(_waker(organization.pk), robust=True)


def _waker(organization_id: int) -> Callable[[], None]:
    return lambda: (send_to_payer.enqueue(organization_id), None)[1]


@task()
def send_to_payer(organization_id: int) -> None:
    """Send what waits for one organization. What cannot be sent now stays in the outbox."""
    _send_all(PayerMail.objects.filter(organization=organization_id).values_list("pk", flat=True))


def send_payer_mails(*, now: datetime, is_told_to_end: Callable[[], bool] = lambda: False) -> int:
    """Send what waits and whose turn has come; return how many were sent.

    Several failures in a row end the round: the mail server is out of reach. Whoever is told to end
    does so after the mail in hand.
    """
    due = PayerMail.objects.due(now).values_list("pk", flat=True)
    return _send_all(due, is_told_to_end)


def retry_payer_mail(*, mail: PayerMail, by: User, now: datetime) -> None:
    """Try a mail again that was given up. Raises NotGivenUp."""
    with transaction.atomic():
        row = PayerMail.objects.select_for_update().get(pk=mail.pk)
        if row.failed_at is None:
            raise NotGivenUp
        row.failed_at, row.next_attempt_at, row.attempts = None, now, 0
        row.save(update_fields=["failed_at", "next_attempt_at", "attempts"])
        accounts.record_event(
            Event.PAYER_MAIL_RETRIED,
            actor=by,
            organization_id=row.organization_id,
            data={"kind": row.kind, "about": row.stripe_object},
        )
        transaction.on_commit(_waker(row.organization_id), robust=True)


def _send_all(ids: Iterable[int], is_told_to_end: Callable[[], bool] = lambda: False) -> int:
    sent = failures = 0
    for id in list(ids):
        if failures == MOST_FAILURES or is_told_to_end():
            break
        mail = _claim(id, clock.now())
        if mail is None:
            # Somebody else is at it.
            continue
        is_sent = _send(mail)
        sent, failures = (sent + 1, 0) if is_sent else (sent, failures + 1)
    return sent


def _send(mail: PayerMail) -> bool:
    """Send a mail that was claimed, and write down what came of it; say whether it was sent."""
    organization = mail.organization
    recipients = recipients_of(organization)
    try:
        mails.compose(mail, recipients).send()
    except Exception as error:
        # Whatever keeps this one from being sent must keep no other.
        logger.warning("Mail %s to whoever pays was not sent: %s", mail.pk, type(error).__name__)
        _note_failure(mail, error, recipients, clock.now())
        return False
    _note_sent(mail, clock.now())
    return True


def recipients_of(organization: Organization) -> list[str]:
    """Return whom these mails go to: the owner, and the billing address. Nobody else."""
    addresses = {address.lower(): address for address in (organization.billing_email,) if address}
    addresses[organization.owner.email.lower()] = organization.owner.email
    return sorted(addresses.values())


@transaction.atomic
def _claim(id: int, now: datetime) -> PayerMail | None:
    rows = PayerMail.objects.select_for_update(of=("self",), skip_locked=True)
    mail = (
        rows.select_related("organization__owner").filter(pk=id, next_attempt_at__lte=now).first()
    )
    if mail is None:
        return None
    # A process that dies while sending leaves it to be tried again after the pause.
    mail.next_attempt_at = now + PAUSES[min(mail.attempts, len(PAUSES) - 1)]
    mail.attempts += 1
    mail.save(update_fields=["next_attempt_at", "attempts"])
    return mail


@transaction.atomic
def _note_sent(mail: PayerMail, now: datetime) -> None:
    row = PayerMail.objects.select_for_update().filter(pk=mail.pk).first()
    if row is None or row.sent_at is not None:
        return
    row.sent_at, row.owner_id = now, mail.organization.owner_id
    # It went out, whatever somebody else made of it meanwhile.
    row.next_attempt_at = row.failed_at = row.withdrawn_at = None
    row.last_error = ""
    row.save()
    accounts.record_event(
        Event.PAYER_TOLD,
        user=mail.organization.owner,
        organization_id=row.organization_id,
        data={"kind": row.kind, "about": row.stripe_object},
    )


def _note_failure(mail: PayerMail, error: Exception, recipients: list[str], now: datetime) -> None:
    words = f"{type(error).__name__}: {error}"
    for address in recipients:
        words = words.replace(address, "…")
    is_last = mail.attempts >= len(PAUSES)
    changes: dict[str, object] = {"last_error": words[:500]}
    if is_last:
        changes |= {"failed_at": now, "next_attempt_at": None}
    # Unless it was withdrawn meanwhile.
    PayerMail.objects.filter(pk=mail.pk).waiting().update(**changes)
