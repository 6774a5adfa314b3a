from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class SoftDeletionQuerySet(models.QuerySet["SoftDeletion"]):
    def open(self) -> SoftDeletionQuerySet:
        """Those that have not been undone."""
        return self.filter(restored_at__isnull=True)


class SoftDeletion(models.Model):
    """One soft delete, open or undone: what restoring brings back, and nothing else.

    The roles that it ended name it (`UserRoleAssignment.disabled_by`); the direct grants, whose
    rows are gone, are kept here.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("person"),
        on_delete=models.CASCADE,
        related_name="soft_deletions",
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("by"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    reason = models.TextField(_("reason"))
    # Why staff had the data erased; empty where the person deleted their own account.
    erasure_reason = models.TextField(_("reason to erase"), blank=True)
    deleted_at = models.DateTimeField(_("deleted at"), default=timezone.now)
    was_active = models.BooleanField(_("was active"))
    # A list of {"permission": "orgs.invite_members", "organization": 12}.
    grants = models.JSONField(_("grants that it ended"), default=list)
    restored_at = models.DateTimeField(_("restored at"), null=True)
    restored_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("restored by"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )

    objects = SoftDeletionQuerySet.as_manager()

    class Meta:
        verbose_name = _("soft deletion")
        verbose_name_plural = _("soft deletions")
        permissions = [
            ("restore_person", _("Can restore a person who was soft-deleted")),
            ("erase_person", _("Can have the data of a deleted person erased")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["user"],
                condition=Q(restored_at__isnull=True),
                name="orgs_softdeletion_one_open",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="orgs_softdeletion_has_reason"),
            # What the composite key of the roles that it ended refers to.
            models.UniqueConstraint(fields=["id", "user"], name="orgs_softdeletion_of_person"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def is_own(self) -> bool:
        """Whether the person deleted their own account, and may come back by themself."""
        return self.by_id == self.user_id
