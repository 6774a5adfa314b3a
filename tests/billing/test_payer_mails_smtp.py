"""Every mail to whoever pays, as a mail server gets it: in both forms, saying the same."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from html import unescape
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.db import transaction
from django.utils import timezone
from pytest_django import Settings

from billing import services
from billing.models import PayerMail
from billing.notices import Kind, notices_of
from billing.services import payer_mails
from orgs.models import Organization
from tests.billing.situations import EACH
from tests.billing.stripe_objects import NOW
from tests.cast import Cast

# What each must say, in both forms: its subject first.
SAYS: dict[Kind, list[str]] = {
    Kind.PAYMENT_FAILED: [
        "A payment for Acme & Sons failed",
        "We could not collect €19.",
        "Stripe tries again on June 17, 2026.",
        "Please pay by June 21, 2026, noon UTC; then your team is locked out.",
        "Update payment info",
        "ACME-2",
    ],
    Kind.CONFIRMATION_NEEDED: [
        "Please confirm a payment for Acme & Sons",
        "Your bank wants you to confirm the payment of €19.",
        "Confirm the payment",
    ],
    Kind.CARD_EXPIRING: [
        "The card that pays for Acme & Sons expires soon",
        "Visa ending in 4242 is valid until 06/2026.",
        "Update payment info",
    ],
    Kind.GRACE_ENDING: [
        "Your team is locked out of Acme & Sons tomorrow",
        "From June 16, 2026, 8 a.m. UTC your team cannot come in, unless billing is resolved.",
        "Update payment info",
    ],
    Kind.LOCKED: [
        "Your team is locked out of Acme & Sons",
        "Your plan is paused.",
        "Since June 14, 2026, noon UTC your team cannot come in. You can, to resolve it.",
        "Manage billing",
    ],
    Kind.UNLOCKED: [
        "Your team is back in Acme & Sons",
        "Everybody can come in again. Your plan is Pro.",
    ],
    Kind.ENDING: [
        "Pro for Acme & Sons ends on June 24, 2026",
        "Until then everything stays as it is.",
        "Resume the plan",
    ],
    Kind.TRIAL_ENDING: [
        "Your trial of Pro for Acme & Sons ends on June 17, 2026",
        "Then €38 is charged, unless you cancel before.",
    ],
    Kind.RECEIPT: [
        "Receipt for Acme & Sons: €19",
        "We received €19 on June 14, 2026. Thank you.",
        "https://stripe.example/i/in_owed/pdf",
    ],
}


class Mailbox:
    """What a mail server was handed."""

    def __init__(self) -> None:
        self.messages: list[tuple[list[str], EmailMessage]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        message = BytesParser(policy=default).parsebytes(envelope.content)
        assert isinstance(message, EmailMessage)
        self.messages.append((envelope.rcpt_tos, message))
        return "250 OK"


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Controller, Mailbox]]:
    mailbox = Mailbox()
    # It cannot say which port it was given, so it is told a free one.
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    yield controller, mailbox
    controller.stop()


@pytest.mark.django_db
@pytest.mark.parametrize("kind", list(Kind))
def test_each_mail_leaves_in_both_forms_that_say_the_same(
    kind: Kind, server: tuple[Controller, Mailbox], cast: Cast, settings: Settings
) -> None:
    controller, mailbox = server
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = controller.hostname, controller.port
    settings.BASE_URL = "https://app.example.com"
    Organization.objects.update(name="Acme & Sons", billing_email="bills@example.com")
    held = notices_of(EACH[kind], NOW)
    with transaction.atomic():
        payer_mails.note(cast.acme, held, NOW)
    if kind is Kind.UNLOCKED:
        # Whoever did not hear of the lock is told nothing of its end.
        assert not PayerMail.objects.exists()
        tell_of_the_lock(cast.acme)
        payer_mails.note(cast.acme, held, NOW)
    mailbox.messages.clear()
    assert services.send_payer_mails(now=timezone.now()) == 1

    ((recipients, message),) = mailbox.messages
    assert recipients == ["alice@example.com", "bills@example.com"]
    assert message["Message-ID"].endswith("@app.example.com>")
    subject, *rest = SAYS[kind]
    assert message["Subject"] == subject
    text, html = body(message, "plain"), body(message, "html")
    for words in rest:
        assert words in text
        assert words in shown(html)
    # It lands on the payment page, after log-in.
    if "https://app.example.com/billing/" in text:
        assert 'href="https://app.example.com/billing/"' in html
    assert kind is Kind.UNLOCKED or "https://app.example.com/billing/" in text
    for form in (text, shown(html)):
        assert "because you own Acme & Sons" in form
    # No picture or script, and nothing that is fetched when it is opened.
    assert not re.search(r"<(img|script|link|iframe)\b|url\(", html)


def tell_of_the_lock(organization: Organization) -> None:
    lock = EACH[Kind.UNLOCKED].was_locked_from
    assert lock is not None
    PayerMail.objects.create(
        organization=organization,
        kind=Kind.LOCKED,
        stripe_object="sub_1",
        since=lock,
        facts={"locked_from": lock.isoformat(), "is_locked": True},
        created_at=NOW,
        sent_at=NOW,
    )


def body(message: EmailMessage, form: str) -> str:
    part = message.get_body((form,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def shown(html: str) -> str:
    """The words of a page of HTML, as somebody reads them, and where its links lead."""
    html = re.sub(r'<a href="([^"]+)"', r"\1 <a", html)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())
