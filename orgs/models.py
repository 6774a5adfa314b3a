from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import Permission
from django.core.validators import MinLengthValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.managers import UserQuerySet
from orgs.constraints import CompositeForeignKey

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


class Organization(models.Model):
    """A team: the billable party. Its owner is one fact, in one place: `owner`."""

    name = models.CharField(_("name"), max_length=120, validators=[MinLengthValidator(2)])
    slug = models.SlugField(_("slug"), max_length=80, unique=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("owner"),
        on_delete=models.PROTECT,
        related_name="owned_organizations",
        editable=False,
    )
    # Stripe customer -> organization -> owner, members: the only link (docs/rules.md, "Billing").
    stripe_customer = models.OneToOneField(
        "djstripe.Customer",
        verbose_name=_("Stripe customer"),
        to_field="id",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="organization",
        editable=False,
    )
    stripe_customer_id: str | None
    # Billing writes these two, in the transaction that writes its own standing.
    tier = models.ForeignKey(
        Tier,
        verbose_name=_("tier"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="organizations",
        editable=False,
    )
    locked_from = models.DateTimeField(
        _("locked from"),
        null=True,
        blank=True,
        db_index=True,
        editable=False,
        help_text=_("Members are refused from then on. Empty: not locked."),
    )
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True, editable=False)
    billing_email = models.EmailField(
        _("billing e-mail"), blank=True, help_text=_("Empty: the owner's address.")
    )
    created_at = models.DateTimeField(_("founded at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("organization")
        verbose_name_plural = _("organizations")
        constraints = [
            CompositeForeignKey(
                name="orgs_organization_owner_is_member",
                foreign_key="owner",
                to_fields=("id", "ownable_organization_id"),
                violation_error_message=_("The owner must be an active member."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def email(self) -> str:
        """Where bills go. dj-stripe asks for it by this name."""
        return self.billing_email or self.owner.email

    def eligible_owners(self) -> UserQuerySet:
        """The people to whom ownership can be transferred: the other present members."""
        members: UserQuerySet = self.members.get_queryset()
        return members.present().exclude(pk=self.owner_id).order_by("name", "email")

    def is_locked(self, now: datetime) -> bool:
        return self.locked_from is not None and self.locked_from <= now

    def tier_at(self, now: datetime) -> Tier:
        """Return the tier that entitles: the free one when locked, or when there is no other."""
        if self.tier is None or self.is_locked(now):
            return Tier.objects.free()
        return self.tier


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


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def pending(self) -> InvitationQuerySet:
        """Neither accepted nor revoked; expired ones included, which can be sent again."""
        return self.filter(accepted_at__isnull=True, revoked_at__isnull=True)


class Invitation(models.Model):
    """A seat offered to an address. The link carries its id, signed."""

    organization = models.ForeignKey(
        Organization,
        verbose_name=_("organization"),
        on_delete=models.CASCADE,
        related_name="invitations",
    )
    email = models.EmailField(_("e-mail address"))
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
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "email"],
                condition=Q(accepted_at__isnull=True, revoked_at__isnull=True),
                name="orgs_invitation_one_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.email} → {self.organization}"

    def is_open(self, now: datetime) -> bool:
        return self.accepted_at is None and self.revoked_at is None and now < self.expires_at


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
