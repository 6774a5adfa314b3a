from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from billing.notices import Key, Kind
from orgs.models import Organization


class PayerMailQuerySet(models.QuerySet["PayerMail"]):
    def waiting(self) -> PayerMailQuerySet:
        """Those that are still to be sent."""
        return self.filter(next_attempt_at__isnull=False)

    def due(self, now: datetime) -> PayerMailQuerySet:
        """Those whose turn has come, the first first."""
        return self.waiting().filter(next_attempt_at__lte=now).order_by("next_attempt_at", "pk")

    def given_up(self) -> PayerMailQuerySet:
        """Those that could not be sent, however often it was tried."""
        return self.filter(failed_at__isnull=False)


class PayerMail(models.Model):
    """One mail to whoever pays, about one fact: the row is the outbox.

    Only billing.services.payer_mails writes it (docs/rules.md, "Mails"). It goes to the owner and
    the billing address as they are when it is sent; members get none.
    """

    organization = models.ForeignKey(
        Organization,
        verbose_name=_("organization"),
        on_delete=models.CASCADE,
        related_name="payer_mails",
    )
    kind = models.CharField(_("kind"), max_length=32, choices=Kind.choices)
    # What it is about: an invoice, a subscription, a payment method or the customer.
    stripe_object = models.CharField(_("object at Stripe"), max_length=255)
    since = models.DateTimeField(_("when that began"))
    # What the mail says: money in minor units, moments in ISO 8601.
    facts = models.JSONField(_("facts"))
    created_at = models.DateTimeField(_("noticed at"))
    # When it is tried (again); empty when it was sent, given up, or is no longer true.
    next_attempt_at = models.DateTimeField(_("next attempt at"), null=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    last_error = models.CharField(_("last error"), max_length=500, blank=True)
    sent_at = models.DateTimeField(_("sent at"), null=True)
    # The owner to whom it was sent.
    owner = models.ForeignKey(
        User,
        verbose_name=_("owner"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    failed_at = models.DateTimeField(_("given up at"), null=True)
    # What it says had passed before it could be sent.
    withdrawn_at = models.DateTimeField(_("withdrawn at"), null=True)

    objects = PayerMailQuerySet.as_manager()

    class Meta:
        verbose_name = _("mail to whoever pays")
        verbose_name_plural = _("mails to whoever pays")
        permissions = [("retry_payermail", _("Send a mail again that was given up"))]
        indexes = [
            # What support looks for.
            models.Index(fields=["stripe_object"], name="billing_payermail_about"),
            # Where a day begins among them.
            models.Index(fields=["created_at", "id"], name="billing_payermail_noticed"),
            models.Index(
                F("next_attempt_at"),
                condition=Q(next_attempt_at__isnull=False),
                name="billing_payermail_waiting",
            ),
            models.Index(
                F("failed_at"),
                condition=Q(failed_at__isnull=False),
                name="billing_payermail_given_up",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "kind", "stripe_object", "since"],
                name="billing_payermail_once",
            ),
            # It waits, or it has ended in one way.
            models.CheckConstraint(
                condition=Q(sent_at=None, failed_at=None, withdrawn_at=None)
                & Q(next_attempt_at__isnull=False)
                | Q(next_attempt_at=None)
                & (
                    Q(sent_at__isnull=False, failed_at=None, withdrawn_at=None)
                    | Q(sent_at=None, failed_at__isnull=False, withdrawn_at=None)
                    | Q(sent_at=None, failed_at=None, withdrawn_at__isnull=False)
                ),
                name="billing_payermail_ends_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organization}: {self.get_kind_display()}"

    @property
    def key(self) -> Key:
        return Key(Kind(self.kind), self.stripe_object, self.since)
