from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.managers import ActiveWeekQuerySet
from accounts.models.people import User


class ActiveWeek(models.Model):
    """Somebody was active in their organization in a week. It goes with the person, and when it is
    no longer needed (docs/rules.md, "Activity")."""

    person = models.ForeignKey(
        User, verbose_name=_("person"), on_delete=models.CASCADE, related_name="active_weeks"
    )
    # A number, and no key to a higher room: it outlives the organization, so that the weeks before
    # its end stay as they were.
    organization_id = models.BigIntegerField(_("organization"))
    week = models.DateField(_("week"), help_text=_("Its Monday, in UTC."))

    objects = ActiveWeekQuerySet.as_manager()

    class Meta:
        verbose_name = _("active week")
        verbose_name_plural = _("active weeks")
        indexes = [
            models.Index(fields=["organization_id", "week"], name="accounts_activeweek_team"),
        ]
        constraints = [
            # In the order in which all organizations' weeks are counted.
            models.UniqueConstraint(
                fields=["week", "organization_id", "person"], name="accounts_activeweek_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.week}"


class ActiveWeekTotal(models.Model):
    """How many people and organizations were active in a week that is over. It never changes, and
    names nobody."""

    week = models.DateField(_("week"), primary_key=True)
    people = models.PositiveIntegerField(_("people"))
    organizations = models.PositiveIntegerField(_("organizations"))

    class Meta:
        verbose_name = _("total of active people")
        verbose_name_plural = _("totals of active people")

    def __str__(self) -> str:
        return f"{self.week}: {self.people}"
