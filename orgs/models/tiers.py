from __future__ import annotations

from django.contrib.auth.models import Permission
from django.db import models
from django.utils.translation import gettext_lazy as _

FREE_TIER_KEY = "free"


class TierQuerySet(models.QuerySet["Tier"]):
    def free(self) -> Tier:
        """Return the tier of those who pay nothing; planting keeps it there."""
        return self.get(key=FREE_TIER_KEY)

    def offered(self) -> TierQuerySet:
        """The tiers that people can choose, the lowest first."""
        return self.filter(is_offered=True).order_by("rank")


class Tier(models.Model):
    """What an organization may have. The row keyed `free` always exists."""

    key = models.SlugField(_("key"), unique=True)
    name = models.CharField(_("name"), max_length=80)
    rank = models.PositiveSmallIntegerField(
        _("rank"), default=0, help_text=_("Of two tiers paid for, the higher one counts.")
    )
    is_offered = models.BooleanField(
        _("offered"),
        default=True,
        help_text=_("People can choose it. Those who have it keep it either way."),
    )
    seat_limit = models.PositiveIntegerField(
        _("seats"), null=True, blank=True, help_text=_("Empty: as many as they like.")
    )
    entitlements = models.ManyToManyField(
        Permission, verbose_name=_("entitlements"), blank=True, related_name="tiers"
    )

    objects = TierQuerySet.as_manager()

    class Meta:
        verbose_name = _("tier")
        verbose_name_plural = _("tiers")

    def __str__(self) -> str:
        return self.name
