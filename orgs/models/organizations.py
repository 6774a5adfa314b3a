from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import Permission
from django.core.validators import MinLengthValidator
from django.db import models
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.managers import UserQuerySet
from orgs.constraints import CompositeForeignKey
from orgs.models.tiers import FREE_TIER_KEY, Tier

# For so long the owner of a closed organization can reopen it; then it is removed.
REOPEN_WITHIN = timedelta(days=30)

# What roles and grants give, and tiers entitle to. Planted in orgs/services/planting.py.
FEATURES = {
    "invite_members": _("Invite people"),
    "remove_members": _("Remove people"),
    "assign_roles": _("Give and take roles"),
    "create_roles": _("Make roles of its own"),
    "change_details": _("Change name and billing address"),
    "view_billing": _("See plan and invoices"),
    "view_activity": _("See the activity log"),
    "export_activity": _("Export the activity log"),
}


def features() -> QuerySet[Permission]:
    """The rows of Django's own table that stand for features, in their order."""
    rows = Permission.objects.filter(
        content_type__app_label="orgs", content_type__model="organization", codename__in=FEATURES
    )
    return rows.select_related("content_type").order_by("pk")


class OrganizationQuerySet(models.QuerySet["Organization"]):
    def having(self, tier: Tier) -> OrganizationQuerySet:
        """Those that have this tier, locked or not; the free one is also of those with none."""
        theirs = Q(tier=tier)
        if tier.key == FREE_TIER_KEY:
            theirs |= Q(tier__isnull=True)
        return self.filter(theirs)


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
        db_index=False,  # An index below begins with it.
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

    objects = OrganizationQuerySet.as_manager()

    class Meta:
        verbose_name = _("organization")
        verbose_name_plural = _("organizations")
        permissions = list(FEATURES.items())
        indexes = [
            models.Index(fields=["tier", "id"], name="orgs_organization_tier"),
            # Where a day begins among them.
            models.Index(fields=["created_at", "id"], name="orgs_organization_founded"),
        ]
        constraints = [
            CompositeForeignKey(
                name="orgs_organization_owner_is_member",
                fields=("owner", "id"),
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

    def people(self) -> UserQuerySet:
        """The people of the team, who each take a seat: all but the soft-deleted."""
        members: UserQuerySet = self.members.get_queryset()
        return members.undeleted()

    def eligible_owners(self) -> UserQuerySet:
        """The people to whom ownership can be transferred: the other present members."""
        members: UserQuerySet = self.members.get_queryset()
        return members.present().exclude(pk=self.owner_id).order_by("name", "email")

    def is_locked(self, now: datetime) -> bool:
        return self.locked_from is not None and self.locked_from <= now

    @property
    def removed_from(self) -> datetime | None:
        """When a closed organization's removal is due; None while it is open."""
        return self.closed_at and self.closed_at + REOPEN_WITHIN

    def tier_at(self, now: datetime) -> Tier:
        """Return the tier that entitles: the free one when locked, or when there is no other."""
        if self.tier is None or self.is_locked(now):
            return Tier.objects.free()
        return self.tier
