from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts import times
from orgs.models import Organization


class SyncOutcome(models.TextChoices):
    SYNCED = "synced", _("synced")
    OVERTAKEN = "overtaken", _("overtaken by another")
    UNAVAILABLE = "unavailable", _("Stripe could not be asked")
    FAILED = "failed", _("failed")


class SyncAttempt(models.Model):
    """One sync of an organization and what came of it: the newest few are kept, for support."""

    organization = models.ForeignKey(
        Organization,
        verbose_name=_("organization"),
        on_delete=models.CASCADE,
        related_name="sync_attempts",
    )
    began_at = models.DateTimeField(_("began at"))
    milliseconds = models.PositiveIntegerField(_("took"))
    outcome = models.CharField(_("outcome"), max_length=16, choices=SyncOutcome.choices)
    error = models.CharField(_("error"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("sync")
        verbose_name_plural = _("syncs")

    def __str__(self) -> str:
        return f"{times.second(self.began_at)}: {self.get_outcome_display()}"
