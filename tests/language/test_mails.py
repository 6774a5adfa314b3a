"""Every mail in the pseudo-locale: subject, text and HTML."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from django.test.signals import template_rendered
from django.urls import reverse
from django.utils import timezone

from billing import mails
from billing.models import PayerMail
from billing.notices import Kind, notices_of
from orgs import emails, services
from orgs.models import Organization
from tests.billing.situations import EACH
from tests.billing.stripe_objects import NOW
from tests.cast import PASSWORD, Cast, add_member
from tests.language.data import data
from tests.language.reading import asking, everybody_reads_it
from tests.language.visible import Untranslated, texts_of
from tests.passkeys import Device, new_client
from tests.second_factor import prove

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("pseudo_locale")]

BROWSER = "Firefox"
# What allauth has people type, on a line of its own.
CODE = re.compile(r"^[A-Z0-9]{3,4}-[A-Z0-9]{3,4}$", re.MULTILINE)


def texts_of_mail(message: Any) -> list[str]:
    texts = [message.subject, *CODE.sub("", message.body).splitlines()]
    if isinstance(message, EmailMultiAlternatives):
        for each in message.alternatives:
            texts += [CODE.sub("", text) for text in texts_of(str(each[0]))]
    return texts


def english(messages: list[Any], *written: object) -> list[str]:
    left = Untranslated([*data(), *written])
    return [text for each in messages for text in left.in_texts(texts_of_mail(each))]


def payer_mail(organization: Organization, kind: Kind, **facts: Any) -> PayerMail:
    (notice,) = notices_of(EACH[kind], NOW)
    return PayerMail(organization=organization, kind=kind, facts=notice.facts | facts)


# What makes a mail say something else.
VARIANTS: dict[Kind, list[dict[str, Any]]] = {
    Kind.PAYMENT_FAILED: [{"next_attempt_at": None, "is_locked": True}],
    Kind.CARD_EXPIRING: [{"is_expired": True}, {"type": "sepa_debit", "brand": ""}],
    Kind.GRACE_ENDING: [{"amount": 1950, "currency": "chf"}],
    Kind.LOCKED: [
        {"amount": 1950, "currency": "chf"},
        *({"reason": each} for each in ("payment_failed", "no_subscription", "unknown_status")),
    ],
    Kind.UNLOCKED: [{"locked_from": NOW.isoformat()}],
    Kind.TRIAL_ENDING: [{"has_payment_method": False}, {"amount": None}],
}


@pytest.mark.parametrize("kind", Kind)
def test_every_mail_to_whoever_pays(cast: Cast, kind: Kind) -> None:
    everybody_reads_it()
    acme = Organization.objects.get(pk=cast.acme.pk)
    rows = [payer_mail(acme, kind, **facts) for facts in [{}, *VARIANTS.get(kind, [])]]
    messages = [mails.compose(row, ["alice@example.com"]) for row in rows]
    numbers = [row.facts.get("number") or "" for row in rows]
    assert english(messages, *numbers, "Visa", "CHF") == []


@pytest.mark.django_db(transaction=True)
def test_every_other_mail(cast: Cast) -> None:
    """Each template of a mail is sent, so that a new one has to be here too."""
    rendered = set()

    def note(template: Any, **_kwargs: Any) -> None:
        rendered.add(str(template.name))

    template_rendered.connect(note)
    mail.outbox.clear()
    try:
        send_every_mail(cast)
    finally:
        template_rendered.disconnect(note)
    folder = Path(settings.BASE_DIR) / "templates"
    ours = {str(each.relative_to(folder)) for each in folder.glob("*/email/*")}
    assert ours - rendered == {"billing/email/mail.txt", "billing/email/mail.html"}
    assert english(mail.outbox, BROWSER) == []


def send_every_mail(cast: Cast) -> None:
    now, leaver = timezone.now(), add_member(cast.acme)
    everybody_reads_it()
    for each in (cast.alice, cast.bob, leaver):
        each.refresh_from_db()
    services.invite(organization=cast.acme, email="eve@example.com", by=cast.alice, now=now)
    services.transfer_ownership(
        organization=cast.acme, new_owner=cast.bob, by=cast.dana, reason="Because."
    )
    cast.acme.refresh_from_db()
    cast.acme.closed_at = now
    emails.send_organization_closed(cast.acme, cast.alice)
    services.delete_own_account(user=leaver, now=now + timedelta(days=1))
    # allauth's, with our words in them.
    visitor = asking(Client(headers={"user-agent": BROWSER}))
    typed = {"name": "Eve", "organization": "Eve's", "email": "eve2@example.com"}
    visitor.post(reverse("account_signup"), typed | {"password1": PASSWORD})
    visitor = asking(Client(headers={"user-agent": BROWSER}))
    for address in ("alice@example.com", "nobody@example.com"):
        visitor.post(reverse("account_reset_password"), {"email": address})
    client = asking(prove(cast.charlie))
    client.defaults["HTTP_USER_AGENT"] = BROWSER
    client.post(reverse("account_email"), {"action_add": "", "email": "new@example.com"})
    client.post(reverse("mfa_generate_recovery_codes"))
    client.post(reverse("mfa_deactivate_totp"))
    phone = asking(new_client())
    phone.defaults["HTTP_USER_AGENT"] = BROWSER
    phone.post(reverse("account_login"), {"login": "bob@example.com", "password": PASSWORD})
    Device().register(phone)
    key = Authenticator.objects.get(user=cast.bob, type=Authenticator.Type.WEBAUTHN)
    phone.post(reverse("mfa_remove_webauthn", args=[key.pk]))
    client.post(
        reverse("account_change_password"), {"oldpassword": PASSWORD, "password1": "another horse"}
    )
