from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User, UserEventLog
from accounts.rights import addresses_of
from orgs.models.organizations import Organization
from orgs.models.roles import Role


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def pending(self) -> InvitationQuerySet:
        """Neither accepted nor revoked; expired ones included, which can be sent again."""
        return self.filter(accepted_at__isnull=True, revoked_at__isnull=True)

    def to_person(self, person: User) -> InvitationQuerySet:
        """Those sent to an address of theirs, and those that they accepted under another one."""
        joined = UserEventLog.objects.filter(user=person, event="member_joined")
        accepted = list(joined.values_list("data__invitation", flat=True))
        return self.filter(Q(email__in=addresses_of(person)) | Q(pk__in=accepted))


class Invitation(models.Model):
    """A seat offered to an address. The link carries its id, signed."""

    organization = models.ForeignKey(
        Organization,
        verbose_name=_("organization"),
        on_delete=models.CASCADE,
        related_name="invitations",
    )
    email = models.EmailField(_("e-mail address"))
    roles = models.ManyToManyField(
        Role, verbose_name=_("roles"), blank=True, related_name="invitations"
    )
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("invited by"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="invitations_sent",
    )
    created_at = models.DateTimeField(_("sent at"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("expires at"))
    accepted_at = models.DateTimeField(_("accepted at"), null=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, editable=False)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        indexes = [
            # Addresses are looked for by how they begin, which on PostgreSQL takes this class.
            models.Index(
                fields=["email"],
                opclasses=["varchar_pattern_ops"],
                name="orgs_invitation_email_begins",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "email"],
                condition=Q(accepted_at__isnull=True, revoked_at__isnull=True),
                name="orgs_invitation_one_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.email} → {self.organization}"

    @property
    def is_pending(self) -> bool:
        """Neither accepted nor revoked; it may have expired, and can be sent again."""
        return self.accepted_at is None and self.revoked_at is None

    def is_open(self, now: datetime) -> bool:
        return self.is_pending and now < self.expires_at
