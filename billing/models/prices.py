from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from orgs.models import Tier


class Interval(models.TextChoices):
    MONTH = "month", _("month")
    YEAR = "year", _("year")


class TierPriceQuerySet(models.QuerySet["TierPrice"]):
    def at_stripe(self) -> TierPriceQuerySet:
        """Those that Stripe has: made by `stripe_setup`, or by hand."""
        return self.filter(stripe_price_id__isnull=False)


class TierPrice(models.Model):
    """Which Stripe price buys which tier. Several prices may: old ones keep serving.

    One with an amount is made at Stripe by `stripe_setup`; one without was made there by hand.
    """

    tier = models.ForeignKey(
        Tier, verbose_name=_("tier"), on_delete=models.PROTECT, related_name="prices"
    )
    stripe_price_id = models.CharField(
        _("Stripe price"),
        max_length=255,
        unique=True,
        null=True,
        blank=True,
        help_text=_("price_…, if it was made at Stripe by hand. Empty: stripe_setup makes it."),
    )
    # In the currency's minor units.
    amount = models.PositiveBigIntegerField(
        _("amount"),
        null=True,
        blank=True,
        help_text=_("In cents (or the currency's smallest unit), for stripe_setup to make it."),
    )
    currency = models.CharField(
        _("currency"), max_length=3, blank=True, validators=[RegexValidator(r"^[a-z]{3}\Z")]
    )
    interval = models.CharField(_("interval"), max_length=8, choices=Interval.choices)
    trial_days = models.PositiveSmallIntegerField(_("trial in days"), null=True, blank=True)

    objects = TierPriceQuerySet.as_manager()

    class Meta:
        verbose_name = _("price of a tier")
        verbose_name_plural = _("prices of tiers")
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__isnull=False) & ~Q(currency="")
                | Q(amount=None, currency="", stripe_price_id__isnull=False),
                name="billing_tierprice_is_at_stripe_or_can_be_made",
                violation_error_message=_(
                    "Give the Stripe price, or the amount and its currency, for it to be made."
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tier} / {self.get_interval_display()}"
