from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts import times
from billing.comparing import Finding
from orgs.models import Organization


class ReconcileRun(models.Model):
    """One walk through everything at Stripe, beside what is kept. Only `reconcile_billing` writes.

    One that was killed has no end; the next goes on where it stopped.
    """

    started_at = models.DateTimeField(_("started at"))
    finished_at = models.DateTimeField(_("finished at"), null=True)
    is_dry_run = models.BooleanField(_("looks only"), default=False)
    is_full = models.BooleanField(_("looks at all"), default=True)
    # The customer at Stripe whose page was the last to be done.
    cursor = models.CharField(_("got as far as"), max_length=255, blank=True)
    looked_at = models.PositiveIntegerField(_("customers looked at"), default=0)
    # Who is at it, and was last seen at work then.
    worker = models.CharField(_("process"), max_length=255)
    touched_at = models.DateTimeField(_("last at work"))

    class Meta:
        verbose_name = _("reconcile")
        verbose_name_plural = _("reconciles")
        indexes = [
            models.Index(
                fields=["id"],
                condition=Q(is_full=True, finished_at__isnull=False),
                name="billing_reconcilerun_full",
            )
        ]

    def __str__(self) -> str:
        return times.minute(self.started_at)


class ReconcileFindingQuerySet(models.QuerySet["ReconcileFinding"]):
    def left(self) -> ReconcileFindingQuerySet:
        """Those of the last full run that no sync has mended. What is older was looked at anew."""
        full = ReconcileRun.objects.filter(is_full=True, finished_at__isnull=False)
        return self.filter(repaired_at=None, run=full.order_by("-pk").values("pk")[:1])


class ReconcileFinding(models.Model):
    """Something in which Stripe and we differed, and whether a sync mended it."""

    run = models.ForeignKey(
        ReconcileRun, verbose_name=_("reconcile"), on_delete=models.CASCADE, related_name="findings"
    )
    organization = models.ForeignKey(
        Organization,
        verbose_name=_("organization"),
        null=True,
        on_delete=models.CASCADE,
        related_name="+",
    )
    customer = models.CharField(_("customer at Stripe"), max_length=255, blank=True)
    finding = models.CharField(_("finding"), max_length=32, choices=Finding.choices)
    what = models.CharField(_("what differed"), max_length=500)
    found_at = models.DateTimeField(_("found at"))
    repaired_at = models.DateTimeField(_("repaired at"), null=True)

    objects = ReconcileFindingQuerySet.as_manager()

    class Meta:
        verbose_name = _("finding of a reconcile")
        verbose_name_plural = _("findings of reconciles")
        indexes = [
            models.Index(
                fields=["run"], condition=Q(repaired_at=None), name="billing_reconcilefinding_left"
            )
        ]
        constraints = [
            # A page that is looked at again, after a crash, tells nothing twice.
            models.UniqueConstraint(
                fields=["run", "organization", "customer", "finding", "what"],
                name="billing_reconcilefinding_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_finding_display()}: {self.what}"
