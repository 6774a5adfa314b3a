from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import times
from accounts.events import Event
from accounts.models.people import User


class UserEventLog(models.Model):
    """One thing that happened. Rows hold ids, outlive what they speak of, and never change.

    `user` is the person it happened to, `actor` who did it (null: a visitor, or Stripe), and
    `impersonator` who was at the keyboard in the actor's place. Address, device and request are
    those of the browser, and empty where there was none.
    """

    event = models.CharField(_("event"), max_length=64)
    user = models.ForeignKey(
        User,
        verbose_name=_("person"),
        null=True,
        db_constraint=False,
        on_delete=models.DO_NOTHING,
        related_name="events",
        db_index=False,  # Indexes below begin with it, and with the three that follow.
    )
    actor = models.ForeignKey(
        User,
        verbose_name=_("actor"),
        null=True,
        db_constraint=False,
        on_delete=models.DO_NOTHING,
        related_name="acts",
        db_index=False,
    )
    impersonator = models.ForeignKey(
        User,
        verbose_name=_("impersonator"),
        null=True,
        db_constraint=False,
        on_delete=models.DO_NOTHING,
        related_name="acts_as_others",
        db_index=False,
    )
    organization = models.ForeignKey(
        "orgs.Organization",
        verbose_name=_("organization"),
        null=True,
        db_constraint=False,
        on_delete=models.DO_NOTHING,
        related_name="events",
        db_index=False,
    )
    data = models.JSONField(_("data"), default=dict)
    ip_address = models.GenericIPAddressField(_("address"), null=True)
    device = models.CharField(_("device"), max_length=200, blank=True, default="")
    request_id = models.CharField(_("request"), max_length=64, blank=True, default="")
    created_at = models.DateTimeField(_("time"), default=timezone.now, db_index=True)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("event log")
        indexes = [
            # Each list of the log is sorted by `id`, newest first, and a page of it is read by one
            # of these, however long the log is.
            models.Index(fields=["organization", "id"], name="accounts_log_organization"),
            models.Index(fields=["user", "id"], name="accounts_log_user"),
            models.Index(fields=["actor", "id"], name="accounts_log_actor"),
            models.Index(fields=["event", "id"], name="accounts_log_event"),
            models.Index(
                fields=["impersonator", "id"],
                condition=Q(impersonator__isnull=False),
                name="accounts_log_impersonator",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} ({times.second(self.created_at)})"

    @property
    def kind(self) -> str:
        """What happened, in words; a kind that is not known here by its name."""
        return str(Event(self.event).label) if self.event in Event else self.event


class LogExport(models.Model):
    """Lines of the log that were written to a file: a range of keys, both ends included.

    Only lines that a row here covers can be removed (I5 of docs/rules.md). The database refuses a
    row that counts more or fewer lines than there are, and a new line inside a range; rows are
    never changed or removed.
    """

    first_id = models.BigIntegerField(_("first line"))
    last_id = models.BigIntegerField(_("last line"))
    lines = models.PositiveBigIntegerField(_("number of lines"))
    sha256 = models.CharField(_("SHA-256 of the file"), max_length=64)
    created_at = models.DateTimeField(_("time"), default=timezone.now)

    class Meta:
        verbose_name = _("export of the log")
        verbose_name_plural = _("exports of the log")
        constraints = [
            models.CheckConstraint(
                condition=Q(first_id__lte=F("last_id"), lines__gt=0),
                name="accounts_logexport_is_a_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.first_id} to {self.last_id}"
