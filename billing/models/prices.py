from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from orgs.models import Tier


class Interval(models.TextChoices):
    MONTH = "month", _("month")
    YEAR = "year", _("year")


class TierPrice(models.Model):
    """Which Stripe price buys which tier. Several prices may: old ones keep serving."""

    tier = models.ForeignKey(
        Tier, verbose_name=_("tier"), on_delete=models.PROTECT, related_name="prices"
    )
    stripe_price_id = models.CharField(_("Stripe price"), max_length=255, unique=True)
    interval = models.CharField(_("interval"), max_length=8, choices=Interval.choices)
    trial_days = models.PositiveSmallIntegerField(_("trial in days"), null=True, blank=True)

    class Meta:
        verbose_name = _("price of a tier")
        verbose_name_plural = _("prices of tiers")

    def __str__(self) -> str:
        return f"{self.tier} / {self.interval}"
