from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class ClockShift(models.Model):
    """How far ahead of real time billing and access live: one row, in development only.

    Read and written by orgs.clock.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    seconds = models.PositiveBigIntegerField(_("seconds"), default=0)

    class Meta:
        verbose_name = _("clock shift")
        verbose_name_plural = _("clock shifts")
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="orgs_clockshift_one_row"),
        ]

    def __str__(self) -> str:
        return f"+{self.seconds} s"
