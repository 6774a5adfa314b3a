from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import UserEventLog
from billing.models.standing import Status
from billing.movements import MovementKind
from orgs.models import Organization


class Movement(models.Model):
    """What a line of the log meant for revenue: a projection of the log, and as lasting.

    Only billing.services.revenue writes it (docs/rules.md, "Revenue").
    """

    line = models.OneToOneField(
        UserEventLog,
        verbose_name=_("line of the log"),
        db_constraint=False,
        on_delete=models.DO_NOTHING,
        related_name="movement",
    )
    line_id: int
    # Outlives its subject, as the line does.
    organization = models.ForeignKey(
        Organization,
        verbose_name=_("organization"),
        null=True,
        db_constraint=False,
        on_delete=models.DO_NOTHING,
        related_name="movements",
    )
    organization_id: int | None
    created_at = models.DateTimeField(_("time"))
    kind = models.CharField(_("kind"), max_length=16, choices=MovementKind.choices)
    month = models.DateField(_("month"), help_text=_("Its first day, in UTC."))
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    # How much more is paid a month, in minor units. Null: nothing tells it.
    amount = models.BigIntegerField(_("amount"), null=True)

    class Meta:
        verbose_name = _("movement of revenue")
        verbose_name_plural = _("movements of revenue")
        indexes = [
            # What the admin's filters ask for, alone and together.
            models.Index(fields=["kind", "id"], name="billing_movement_kind"),
            models.Index(fields=["month", "id"], name="billing_movement_month"),
            models.Index(fields=["month", "kind", "id"], name="billing_movement_both"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.month:%Y-%m})"


class MovementTotal(models.Model):
    """How many movements of a kind a month had in a currency, and what they come to."""

    month = models.DateField(_("month"))
    kind = models.CharField(_("kind"), max_length=16, choices=MovementKind.choices)
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    movements = models.PositiveIntegerField(_("movements"))
    amount = models.BigIntegerField(_("amount"))

    class Meta:
        verbose_name = _("total of movements")
        verbose_name_plural = _("totals of movements")
        constraints = [
            models.UniqueConstraint(
                fields=["month", "kind", "currency"], name="billing_movementtotal_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.kind} {self.currency}: {self.movements}"


class StandingTotal(models.Model):
    """How many organizations of a tier stood so, paying in this currency, when they were counted
    last, and what they pay a month."""

    tier = models.SlugField(_("tier"), help_text=_("Its key."))
    status = models.CharField(_("status"), max_length=16, choices=Status.choices)
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    organizations = models.PositiveIntegerField(_("organizations"))
    # Of so many it is told what they pay.
    told = models.PositiveIntegerField(_("whose amount is told"))
    amount = models.BigIntegerField(_("amount"))
    # So many of them pay, and nobody uses what they pay for.
    dormant = models.PositiveIntegerField(_("at risk"))
    counted_at = models.DateTimeField(_("counted at"))

    class Meta:
        verbose_name = _("total of standings")
        verbose_name_plural = _("totals of standings")
        constraints = [
            models.UniqueConstraint(
                fields=["tier", "status", "currency"], name="billing_standingtotal_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tier} {self.status} {self.currency}: {self.organizations}"
