"""The words of a mail to whoever pays, as text and as HTML, from the facts in its row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import times
from accounts.reader import reading_as
from billing.models import PayerMail
from billing.money import format_money
from billing.notices import Kind
from billing.payment_methods import valid_until, words_of
from billing.standing import ENDED_FOR_DEBT

Facts = dict[str, Any]


@dataclass(frozen=True)
class Words:
    """What a mail says: a subject, paragraphs, a table and one thing to do."""

    subject: str
    paragraphs: list[str]
    # What the button says; empty: there is nothing to do.
    action: str = ""
    rows: list[tuple[str, str]] = field(default_factory=list)
    # Where more stands, each with its words.
    links: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Rendered:
    subject: str
    text: str
    html: str


def render(mail: PayerMail) -> Rendered:
    """Return the mail as it reads, sent or not: in the owner's language and zone."""
    with reading_as(mail.organization.owner):
        return _rendered(mail)


def _rendered(mail: PayerMail) -> Rendered:
    name = mail.organization.name
    words = WORDS[Kind(mail.kind)](name, mail.facts)
    # A name with a line break in it must not break the header.
    subject = " ".join(words.subject.split())
    context = {
        "subject": subject,
        "words": words,
        "organization": name,
        # Where whoever follows it pays, after they have logged in.
        "url": f"{settings.BASE_URL}{reverse('billing:overview')}",
    }
    return Rendered(
        subject,
        render_to_string("billing/email/mail.txt", context),
        render_to_string("billing/email/mail.html", context),
    )


def compose(mail: PayerMail, recipients: list[str]) -> EmailMultiAlternatives:
    """Return the message. A repeated one has the same Message-ID: mailboxes show it once."""
    rendered = render(mail)
    domain = settings.BASE_URL.split("//")[-1].split("/")[0].split(":")[0]
    message = EmailMultiAlternatives(
        rendered.subject,
        rendered.text,
        to=recipients,
        headers={"Message-ID": f"<payer-{mail.pk}-{mail.organization_id}@{domain}>"},
    )
    message.attach_alternative(rendered.html, "text/html")
    return message


def _payment_failed(name: str, facts: Facts) -> Words:
    subject = _("A payment for %(name)s failed") % {"name": name}
    paragraphs = [_("We could not collect %(amount)s.") % {"amount": _amount(facts)}]
    if facts["next_attempt_at"]:
        paragraphs.append(
            _("Stripe tries again on %(date)s. You need not wait for that.")
            % {"date": _date(facts["next_attempt_at"])}
        )
    return Words(
        subject,
        [*paragraphs, *_lock(facts)],
        _("Update payment info"),
        _invoice(facts),
        _pages(facts),
    )


def _confirmation_needed(name: str, facts: Facts) -> Words:
    subject = _("Please confirm a payment for %(name)s") % {"name": name}
    text = _(
        "Your bank wants you to confirm the payment of %(amount)s. Until you do, it is unpaid."
    )
    paragraphs = [text % {"amount": _amount(facts)}, *_lock(facts)]
    return Words(subject, paragraphs, _("Confirm the payment"), _invoice(facts), _pages(facts))


def _card_expiring(name: str, facts: Facts) -> Words:
    told = {"card": words_of(facts), "month": valid_until(facts), "name": name}
    if facts["is_expired"]:
        subject = _("The card that pays for %(name)s has expired") % told
        text = _(
            "%(card)s was valid until %(month)s. Add another, so that the next payment succeeds."
        )
    else:
        subject = _("The card that pays for %(name)s expires soon") % told
        text = _("%(card)s is valid until %(month)s. Add another before the next payment fails.")
    return Words(subject, [text % told], _("Update payment info"))


def _grace_ending(name: str, facts: Facts) -> Words:
    told = {"name": name, "date": _datetime(facts["locked_from"])}
    subject = _("Your team is locked out of %(name)s tomorrow") % told
    paragraphs = [_("From %(date)s your team cannot come in, unless billing is resolved.") % told]
    if facts["amount"]:
        paragraphs.append(_("You owe %(amount)s.") % {"amount": _amount(facts)})
    return Words(subject, paragraphs, _("Update payment info"))


def _locked(name: str, facts: Facts) -> Words:
    subject = _("Your team is locked out of %(name)s") % {"name": name}
    text = _("Since %(date)s your team cannot come in. You can, to resolve it.")
    paragraphs = [text % {"date": _datetime(facts["locked_from"])}]
    if facts["amount"]:
        paragraphs.append(_("You owe %(amount)s.") % {"amount": _amount(facts)})
        return Words(subject, paragraphs, _("Update payment info"))
    if facts["reason"] in ENDED_FOR_DEBT:
        paragraphs.insert(0, _("Your plan ended because it was not paid for."))
    elif facts["reason"] == "paused":
        paragraphs.insert(0, _("Your plan is paused."))
        return Words(subject, paragraphs, _("Manage billing"))
    elif facts["reason"] not in ("customer_deleted", "no_subscription"):
        return Words(subject, paragraphs, _("Manage billing"))
    return Words(subject, paragraphs, _("Choose a plan"))


def _unlocked(name: str, facts: Facts) -> Words:
    subject = _("Your team is back in %(name)s") % {"name": name}
    if facts["locked_from"]:
        text = _("Our staff made an exemption: your team can come in until %(date)s.")
        return Words(subject, [text % {"date": _datetime(facts["locked_from"])}], _("See billing"))
    text = _("Everybody can come in again. Your plan is %(tier)s.") % {"tier": facts["tier"]}
    return Words(subject, [text])


def _ending(name: str, facts: Facts) -> Words:
    told = {"name": name, "tier": facts["tier"], "date": _date(facts["ends_at"])}
    subject = _("%(tier)s for %(name)s ends on %(date)s") % told
    text = _("Until then everything stays as it is.")
    return Words(
        subject, [text, _("You can resume the plan until that day.")], _("Resume the plan")
    )


def _trial_ending(name: str, facts: Facts) -> Words:
    told = {"name": name, "tier": facts["tier"], "date": _date(facts["ends_at"])}
    subject = _("Your trial of %(tier)s for %(name)s ends on %(date)s") % told
    if not facts["has_payment_method"]:
        text = _("There is no payment method yet. Add one by then to keep the plan.")
        return Words(subject, [text], _("Add a payment method"))
    if facts["amount"] is None:
        return Words(subject, [_("Then the first payment is due.")], _("See billing"))
    text = _("Then %(amount)s is charged, unless you cancel before.") % {"amount": _amount(facts)}
    return Words(subject, [text], _("See billing"))


def _receipt(name: str, facts: Facts) -> Words:
    told = {"name": name, "amount": _amount(facts), "date": _date(facts["paid_at"])}
    subject = _("Receipt for %(name)s: %(amount)s") % told
    text = _("We received %(amount)s on %(date)s. Thank you.") % told
    return Words(subject, [text], _("See billing"), _invoice(facts), _pages(facts))


def _invoice(facts: Facts) -> list[tuple[str, str]]:
    rows = [(_("Invoice"), facts["number"]), (_("Amount"), _amount(facts))]
    return [(label, value) for label, value in rows if value]


def _pages(facts: Facts) -> list[tuple[str, str]]:
    rows = [(_("At Stripe"), facts["hosted_invoice_url"]), (_("PDF"), facts["invoice_pdf"])]
    return [(label, address) for label, address in rows if address]


def _lock(facts: Facts) -> list[str]:
    if facts["is_locked"]:
        return [_("Until it is paid, your team cannot come in. You can.")]
    if facts["locked_from"]:
        text = _("Please pay by %(date)s; then your team is locked out.")
        return [text % {"date": _datetime(facts["locked_from"])}]
    return []


def _amount(facts: Facts) -> str:
    return format_money(facts["amount"], facts["currency"])


def _date(moment: str) -> str:
    return times.day(datetime.fromisoformat(moment))


def _datetime(moment: str) -> str:
    return times.day_and_time(datetime.fromisoformat(moment))


WORDS: dict[Kind, Callable[[str, Facts], Words]] = {
    Kind.PAYMENT_FAILED: _payment_failed,
    Kind.CONFIRMATION_NEEDED: _confirmation_needed,
    Kind.CARD_EXPIRING: _card_expiring,
    Kind.GRACE_ENDING: _grace_ending,
    Kind.LOCKED: _locked,
    Kind.UNLOCKED: _unlocked,
    Kind.ENDING: _ending,
    Kind.TRIAL_ENDING: _trial_ending,
    Kind.RECEIPT: _receipt,
}
