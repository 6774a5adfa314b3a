from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from orgs.models.organizations import Organization


class OwnershipTransfer(models.Model):
    """One change of owner, for ever. The row outlives everybody it names."""

    organization = models.ForeignKey(
        Organization,
        verbose_name=_("organization"),
        null=True,
        db_constraint=False,
        on_delete=models.DO_NOTHING,
        related_name="ownership_transfers",
    )
    from_owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("from"),
        null=True,
        db_constraint=False,
        on_delete=models.DO_NOTHING,
        related_name="ownerships_given",
    )
    to_owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("to"),
        null=True,
        db_constraint=False,
        on_delete=models.DO_NOTHING,
        related_name="ownerships_received",
    )
    performed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("performed by"),
        null=True,
        db_constraint=False,
        on_delete=models.DO_NOTHING,
        related_name="ownership_transfers_performed",
    )
    reason = models.TextField(_("reason"))
    created_at = models.DateTimeField(_("time"), default=timezone.now)

    class Meta:
        verbose_name = _("transfer of ownership")
        verbose_name_plural = _("transfers of ownership")
        permissions = [("transfer_ownership", _("Can transfer the ownership of an organization"))]
        constraints = [
            models.CheckConstraint(
                condition=~Q(from_owner=F("to_owner")),
                name="orgs_ownershiptransfer_changes_owner",
            ),
            models.CheckConstraint(
                condition=~Q(reason=""), name="orgs_ownershiptransfer_has_reason"
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class OwnershipTransferRequestQuerySet(models.QuerySet["OwnershipTransferRequest"]):
    def pending(self) -> OwnershipTransferRequestQuerySet:
        return self.filter(closed_at__isnull=True)


class OwnershipTransferRequest(models.Model):
    """An owner's wish to hand the organization on. Staff decide; at most one is open at a time."""

    organization = models.ForeignKey(
        Organization,
        verbose_name=_("organization"),
        on_delete=models.CASCADE,
        related_name="ownership_transfer_requests",
    )
    new_owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("new owner"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="ownership_requests_received",
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("requested by"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="ownership_requests_made",
    )
    reason = models.TextField(_("reason"), max_length=1000)
    created_at = models.DateTimeField(_("time"), default=timezone.now)
    closed_at = models.DateTimeField(_("closed at"), null=True, editable=False)

    objects = OwnershipTransferRequestQuerySet.as_manager()

    class Meta:
        verbose_name = _("request for a transfer of ownership")
        verbose_name_plural = _("requests for a transfer of ownership")
        constraints = [
            models.UniqueConstraint(
                fields=["organization"],
                condition=Q(closed_at__isnull=True),
                name="orgs_ownershiptransferrequest_one_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organization} → {self.new_owner}"
