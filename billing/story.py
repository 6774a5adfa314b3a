"""An organization's billing as support tells it: ten questions, each with its answer. Pure.

What is asked again and again: who pays, why it is locked, since when, what we sent, what Stripe
said, who changed it, what happens next, what would unlock it, whether it is synced, and where it
is at Stripe.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from accounts import times
from billing.invoices import owed_invoices
from billing.models import PayerMail, Standing, Status, SyncAttempt
from billing.money import format_money
from billing.payment_methods import expires_at, valid_until, words_of
from billing.reasons import words_for
from billing.standing import ENDED_FOR_DEBT, moment_of
from orgs.models import Organization


@dataclass(frozen=True)
class Link:
    text: str
    url: str


@dataclass(frozen=True)
class Answer:
    """`key` is stable; pages and tests look for it."""

    key: str
    question: str
    sentences: list[str]
    links: list[Link] = field(default_factory=list)


@dataclass(frozen=True)
class Known:
    """What is looked up for the answers."""

    organization: Organization
    standing: Standing
    # The mirror's JSON: the subscription that counts, and open invoices.
    subscription: dict[str, Any] | None
    open_invoices: Sequence[dict[str, Any]]
    # Newest first, a few each.
    mails: Sequence[PayerMail]
    attempts: Sequence[SyncAttempt]
    changed_at: datetime | None
    changed_by: str
    stripe_url: str

    @property
    def owed(self) -> list[dict[str, Any]]:
        subscriptions = [self.subscription] if self.subscription else []
        return owed_invoices(self.open_invoices, subscriptions)


def story_of(known: Known, now: datetime) -> list[Answer]:
    """Return the ten answers, in their order."""
    return [
        Answer("payer", _("Who pays?"), list(_payer(known, now))),
        Answer("why", _("Why is it so?"), list(_why(known, now))),
        Answer("since", _("Since when?"), list(_since(known, now))),
        Answer("sent", _("What did we send?"), list(_sent(known))),
        Answer("stripe", _("What did Stripe say?"), list(_stripe(known))),
        Answer("changed", _("Who changed it?"), list(_changed(known))),
        Answer("next", _("What will happen next, and when?"), list(_next(known, now))),
        Answer("unlock", _("What would unlock it?"), list(_unlock(known, now))),
        Answer("synced", _("Is it synced?"), list(_synced(known, now))),
        Answer("where", _("Where is it at Stripe?"), [], list(_where(known))),
    ]


def _payer(known: Known, now: datetime) -> Iterator[str]:
    organization, method = known.organization, known.standing.payment_method
    owner = organization.owner
    yield _("%(name)s (%(email)s) owns it.") % {"name": owner.get_full_name(), "email": owner.email}
    if organization.billing_email:
        yield _("Bills also go to %(email)s.") % {"email": organization.billing_email}
    if organization.stripe_customer_id is None:
        yield _("It has no customer at Stripe yet.")
    if method is None:
        yield _("No payment method is known.")
        return
    told = {"method": words_of(method), "until": valid_until(method)}
    end = expires_at(method)
    if end is None:
        yield _("Paid with %(method)s.") % told
    elif end <= now:
        yield _("Paid with %(method)s, which has expired.") % told
    else:
        yield _("Paid with %(method)s, valid until %(until)s.") % told


def _why(known: Known, now: datetime) -> Iterator[str]:
    organization, standing = known.organization, known.standing
    if organization.closed_at is not None:
        yield _("Its owner closed it.")
    yield _status(known)
    for invoice in known.owed:
        yield _("Invoice %(number)s (%(id)s) of %(amount)s could not be collected.") % {
            "number": invoice.get("number") or "",
            "id": invoice["id"],
            "amount": _amount(invoice),
        }
    if standing.unconfirmed_invoice:
        yield _("The payment of %(id)s waits for the owner to confirm it at their bank.") % {
            "id": standing.unconfirmed_invoice
        }
    if standing.is_exempt(now):
        yield _("Our staff exempted it until %(until)s: %(reason)s") % {
            "until": _time(standing.exempt_until),
            "reason": standing.exempt_reason,
        }
    if organization.is_locked(now):
        yield _("So members are kept out; the owner gets in, to pay.")
    else:
        yield _("Members get in.")


def _status(known: Known) -> str:
    standing = known.standing
    told = {"subscription": standing.subscription_id or "", "reason": words_for(standing.reason)}
    if standing.reason == "customer_deleted":
        return _("Its customer was deleted at Stripe.")
    if standing.reason == "unmapped_price":
        return _("It pays %(subscription)s, whose price buys no tier here.") % told
    if standing.reason in ENDED_FOR_DEBT and standing.status == Status.LAPSED:
        return _("Its subscription %(subscription)s ended because it was not paid for.") % told
    if standing.status == Status.PAST_DUE:
        return _("Its subscription %(subscription)s is past due.") % told
    if standing.status == Status.LAPSED:
        if standing.subscription_id is None:
            return _("It has no subscription, and there is no free tier.")
        return _("Its subscription %(subscription)s is %(reason)s.") % told
    if standing.status == Status.FREE:
        return _("It has no subscription: it is on the free tier.")
    if (known.subscription or {}).get("status") == "trialing":
        return _("Its subscription %(subscription)s is on trial.") % told
    return _("Its subscription %(subscription)s is paid.") % told


def _since(known: Known, now: datetime) -> Iterator[str]:
    if known.organization.is_locked(now):
        yield _("Locked since %(time)s.") % {"time": _time(known.organization.locked_from)}
    if known.changed_at is None:
        yield _("As it is now since it was founded, %(time)s.") % {
            "time": _time(known.organization.created_at)
        }
    else:
        yield _("As it is now since %(time)s.") % {"time": _time(known.changed_at)}


def _sent(known: Known) -> Iterator[str]:
    if not known.mails:
        yield _("No mail about billing so far.")
    for mail in known.mails:
        told = {"kind": mail.get_kind_display(), "about": mail.stripe_object}
        if mail.sent_at is not None:
            words = _("%(time)s: “%(kind)s” (%(about)s)")
            yield words % (told | {"time": _time(mail.sent_at)})
        elif mail.failed_at is not None:
            yield _("Could not be sent: “%(kind)s” (%(about)s)") % told
        elif mail.withdrawn_at is None:
            yield _("Waits to be sent: “%(kind)s” (%(about)s)") % told


def _stripe(known: Known) -> Iterator[str]:
    subscription = known.subscription
    if subscription is None:
        yield _("No subscription counts.")
    else:
        yield _("%(id)s is %(status)s.") % {
            "id": subscription["id"],
            "status": subscription["status"],
        }
    if not known.open_invoices:
        yield _("No invoice is open.")
    for invoice in known.open_invoices:
        yield _("%(number)s (%(id)s) is open, with %(amount)s to pay; tried %(times)s times.") % {
            "number": invoice.get("number") or "",
            "id": invoice["id"],
            "amount": _amount(invoice),
            "times": invoice.get("attempt_count") or 0,
        }


def _changed(known: Known) -> Iterator[str]:
    if known.changed_at is None:
        yield _("Nobody so far.")
    elif known.changed_by:
        yield _("Last: %(who)s, %(time)s.") % {
            "who": known.changed_by,
            "time": _time(known.changed_at),
        }
    else:
        yield _("Last: Stripe, as a sync found at %(time)s.") % {"time": _time(known.changed_at)}


def _next(known: Known, now: datetime) -> Iterator[str]:
    """What lies ahead, in its order."""
    organization, standing = known.organization, known.standing
    ahead: list[tuple[datetime, str]] = []

    def add(moment: datetime | None, words: str) -> None:
        if moment is not None and moment > now:
            ahead.append((moment, words))

    add(organization.locked_from, _("members are locked out"))
    add(organization.removed_from, _("it is removed for good"))
    add(standing.exempt_until, _("the exemption ends"))
    add(standing.ends_at, _("the plan ends"))
    for invoice in known.open_invoices:
        moment = invoice.get("next_payment_attempt")
        words = _("Stripe tries to collect %(id)s again") % {"id": invoice["id"]}
        add(moment and moment_of(moment), words)
    subscription = known.subscription or {}
    if subscription.get("status") == "trialing" and subscription.get("trial_end"):
        add(moment_of(subscription["trial_end"]), _("the trial ends"))
    elif subscription.get("status") == "active" and standing.ends_at is None:
        ends = [
            item["current_period_end"]
            for item in (subscription.get("items") or {}).get("data") or []
            if item.get("current_period_end")
        ]
        add(moment_of(min(ends)) if ends else None, _("it renews"))
    for mail in known.mails:
        words = _("the mail “%(kind)s” is tried again") % {"kind": mail.get_kind_display()}
        add(mail.next_attempt_at, words)
    for moment, words in sorted(ahead):
        yield f"{_time(moment)}: {words}."
    if not ahead:
        yield _("Nothing that has a date.")


def _unlock(known: Known, now: datetime) -> Iterator[str]:
    organization, standing = known.organization, known.standing
    if organization.closed_at is not None:
        yield _("Its owner reopens it.")
    if not organization.is_locked(now):
        if organization.closed_at is None:
            yield _("Nothing needs to: it is not locked.")
        return
    if known.owed:
        for invoice in known.owed:
            yield _("Paying %(id)s (%(amount)s): the owner does, under Billing.") % {
                "id": invoice["id"],
                "amount": _amount(invoice),
            }
    elif standing.reason == "paused":
        yield _("Resuming the subscription at Stripe.")
    elif standing.reason == "unpaid":
        yield _("Paying what is unpaid: the owner does, under Billing.")
    elif standing.can_choose_free:
        yield _("A new subscription, or the free tier, if the owner chooses it under Billing.")
    else:
        yield _("A new subscription, which the owner chooses under Billing.")
    yield _("Or an exemption, by our staff.")


def _synced(known: Known, now: datetime) -> Iterator[str]:
    standing = known.standing
    if standing.synced_at is None:
        yield _("Never so far.")
    else:
        yield _("Last asked Stripe at %(time)s.") % {"time": _time(standing.synced_at)}
    if standing.is_leased(now):
        yield _("It is being synced at this moment.")
    elif standing.sync_requested_at is not None:
        yield _("A sync is asked for since %(time)s, and is still to come.") % {
            "time": _time(standing.sync_requested_at)
        }
    if standing.reconciled_at is not None:
        yield _("Last compared with everything at Stripe by the reconcile of %(time)s.") % {
            "time": _time(standing.reconciled_at)
        }
    last = known.attempts[0] if known.attempts else None
    if last is not None and last.error:
        yield _("The last sync did not succeed: %(error)s") % {"error": last.error}


def _where(known: Known) -> Iterator[Link]:
    for kind, id in (
        ("customers", known.organization.stripe_customer_id),
        ("subscriptions", known.standing.subscription_id),
        *(("invoices", invoice["id"]) for invoice in known.open_invoices),
    ):
        if id:
            yield Link(str(id), known.stripe_url.format(kind=kind, id=id))


def _amount(invoice: dict[str, Any]) -> str:
    return format_money(invoice["amount_remaining"], invoice["currency"])


def _time(moment: datetime | None) -> str:
    assert moment is not None
    return times.minute(moment)
