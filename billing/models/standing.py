from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from billing.notices import LOCK_IS_NEAR
from billing.recurring import Recurring
from billing.standing import ENDED_FOR_DEBT, Exemption, is_live, prices_of
from orgs.models import Organization, Tier

# How old what we know of an organization may grow, while no event speaks of it.
STALE_AFTER = timedelta(days=1)
# From then on people are told: a mark is not synced, nobody looks, an exemption ends.
OVERDUE_AFTER = timedelta(minutes=15)
UNHEARD_AFTER = timedelta(days=2)
ENDS_SOON = timedelta(days=7)
# Longer than all calls of one sync may take. A sync that outlives it writes nothing.
LEASE = timedelta(seconds=90)
# The clocks of two machines may differ by as much.
LONGEST_LEASE = 2 * LEASE


class Status(models.TextChoices):
    FREE = "free", _("free")
    CURRENT = "current", _("current")
    PAST_DUE = "past_due", _("past due")
    LAPSED = "lapsed", _("lapsed")


class StandingQuerySet(models.QuerySet["Standing"]):
    def marked(self) -> StandingQuerySet:
        """Those that a sync must still look at."""
        return self.filter(sync_requested_at__isnull=False)

    def due(self, now: datetime) -> StandingQuerySet:
        """Marked, and nobody is at it: what was never tried first, then what was tried longest
        ago. So one that always fails holds up nobody."""
        in_turn = (F("lease_until").asc(nulls_first=True), "sync_requested_at")
        return self.marked().idle(now).order_by(*in_turn)

    def idle(self, now: datetime) -> StandingQuerySet:
        """Those that no process is at, as `Standing.is_leased` says."""
        return self.exclude(lease_until__gt=now, lease_until__lte=now + LONGEST_LEASE)

    def stale(self, now: datetime) -> StandingQuerySet:
        """Those that nobody has looked at for long: their events may have been lost."""
        unmarked = self.filter(sync_requested_at__isnull=True, synced_at__lte=now - STALE_AFTER)
        return unmarked.order_by("synced_at")

    def overdue(self, now: datetime) -> StandingQuerySet:
        """Those that are marked for so long that it was tried in vain, or by nobody."""
        return self.marked().filter(sync_requested_at__lte=now - OVERDUE_AFTER)

    def unheard(self, now: datetime) -> StandingQuerySet:
        """Those that the sweep should have looked at long ago."""
        return self.filter(sync_requested_at__isnull=True, synced_at__lte=now - UNHEARD_AFTER)

    def lock_begun(self, now: datetime) -> StandingQuerySet:
        """Those whose lock lay ahead and has begun since, which the log does not say yet."""
        return self.filter(locks_at__lte=now).order_by("locks_at")

    def exemption_over(self, now: datetime) -> StandingQuerySet:
        """Those whose exemption has ended by the clock, and is still written here."""
        return self.filter(exempt_until__lte=now, sync_requested_at__isnull=True)

    def about_to_lock(self, now: datetime) -> StandingQuerySet:
        """Those whose lock begins within a day, and that nobody has looked at since it did so."""
        within_a_day = self.filter(locks_at__gt=now, locks_at__lte=now + LOCK_IS_NEAR)
        not_seen_so = Q(synced_at__lt=F("locks_at") - LOCK_IS_NEAR)
        return within_a_day.filter(not_seen_so, sync_requested_at__isnull=True)

    def exempt_until_soon(self, now: datetime) -> StandingQuerySet:
        """Those whose exemption ends within a week."""
        return self.filter(exempt_until__gt=now, exempt_until__lte=now + ENDS_SOON)

    def paying(self) -> StandingQuerySet:
        """Those with a subscription that is paid, or that is being asked for."""
        statuses = (Status.CURRENT, Status.PAST_DUE)
        return self.filter(status__in=statuses, subscription__isnull=False)

    def dormant_since(self, moment: datetime) -> StandingQuerySet:
        """Those of whose team nobody was active then or later."""
        people = User.objects.get_queryset().undeleted().active_since(moment)
        return self.filter(~Exists(people.filter(organization=OuterRef("organization"))))

    def of_customer(self, customer_id: str) -> StandingQuerySet:
        return self.filter(organization__stripe_customer=customer_id)


class Standing(models.Model):
    """Where an organization stands with billing: a projection of Stripe's facts.

    Only billing.services writes it; it can be rebuilt from Stripe at any time (docs/rules.md,
    "Standing" and "Converging").
    """

    organization = models.OneToOneField(
        Organization,
        verbose_name=_("organization"),
        on_delete=models.CASCADE,
        related_name="standing",
    )
    status = models.CharField(
        _("status"), max_length=16, choices=Status.choices, default=Status.FREE
    )
    reason = models.CharField(_("reason"), max_length=64, blank=True)
    subscription = models.ForeignKey(
        "djstripe.Subscription",
        verbose_name=_("subscription"),
        to_field="id",
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    subscription_id: str | None
    # What is paid a month, or was paid last while something is owed: in minor units, before
    # discounts and taxes. Without a currency nothing is; without an amount, no price tells it.
    recurring_currency = models.CharField(
        _("pays in"), max_length=3, blank=True, default="", db_default=""
    )
    recurring_amount = models.BigIntegerField(_("pays a month"), null=True)
    # More than one of the customer's subscriptions lives.
    is_billed_twice = models.BooleanField(_("billed twice"), default=False, db_default=False)
    grace_ends_at = models.DateTimeField(_("grace ends at"), null=True)
    ends_at = models.DateTimeField(_("ends at"), null=True)
    free_chosen_at = models.DateTimeField(_("free tier chosen at"), null=True)

    # What the subscription is paid with (`billing.payment_methods`), and the invoice whose payment
    # waits for the owner to confirm it.
    payment_method = models.JSONField(_("payment method"), null=True)
    unconfirmed_invoice = models.CharField(_("invoice to confirm"), max_length=255, blank=True)

    # What staff decided: until then no lock begins, and this tier counts, if one is named.
    exempt_until = models.DateTimeField(_("exempt until"), null=True)
    exempt_tier = models.ForeignKey(
        Tier,
        verbose_name=_("tier while exempt"),
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    exempt_reason = models.CharField(_("why exempt"), max_length=500, blank=True)

    # The mark: something happened at this time that a sync must still look at.
    sync_requested_at = models.DateTimeField(_("sync requested at"), null=True)
    synced_at = models.DateTimeField(_("synced at"), null=True)
    # When the last full reconcile that came by began.
    reconciled_at = models.DateTimeField(_("reconciled at"), null=True)
    # A lock that lies ahead. It begins by the clock; the sweep then logs it and clears this.
    locks_at = models.DateTimeField(_("locks at"), null=True)
    # Who syncs holds a lease; a sync whose generation is no longer the newest writes nothing. One
    # that failed gave its lease back at this time.
    lease_until = models.DateTimeField(_("lease until"), null=True)
    generation = models.PositiveBigIntegerField(_("generation"), default=0)
    # The idempotency key of the Stripe customer's creation, and in its metadata: however often
    # it is repeated, there is one customer.
    customer_key = models.UUIDField(_("customer key"), default=uuid.uuid4, unique=True)

    objects = StandingQuerySet.as_manager()

    class Meta:
        verbose_name = _("standing")
        verbose_name_plural = _("standings")
        indexes = [
            # What the sweep looks for each minute, however many organizations there are.
            models.Index(
                F("sync_requested_at"),
                condition=Q(sync_requested_at__isnull=False),
                name="billing_standing_marked",
            ),
            models.Index(
                F("synced_at"),
                condition=Q(sync_requested_at__isnull=True),
                name="billing_standing_stale",
            ),
            models.Index(
                F("locks_at"),
                condition=Q(locks_at__isnull=False),
                name="billing_standing_locks_ahead",
            ),
            models.Index(
                F("exempt_until"),
                condition=Q(exempt_until__isnull=False),
                name="billing_standing_exempt",
            ),
            # What the admin's filters ask for.
            models.Index(fields=["status", "id"], name="billing_standing_status"),
            models.Index(
                fields=["recurring_currency", "status", "id"], name="billing_standing_pays"
            ),
            # What the front page of the admin asks for, besides.
            models.Index(fields=["reason", "id"], name="billing_standing_reason"),
            models.Index(
                fields=["id"], condition=Q(is_billed_twice=True), name="billing_standing_twice"
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(exempt_until__isnull=True, exempt_tier__isnull=True, exempt_reason="")
                | Q(exempt_until__isnull=False) & ~Q(exempt_reason=""),
                name="billing_standing_exemption_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(recurring_amount__isnull=True) | ~Q(recurring_currency=""),
                name="billing_standing_amount_has_currency",
            ),
        ]
        permissions = [
            ("exempt_standing", _("Exempt an organization from billing")),
            ("sync_standing", _("Have an organization's billing looked up at Stripe")),
        ]

    def __str__(self) -> str:
        return f"{self.organization}: {self.get_status_display()}"

    @property
    def exemption(self) -> Exemption | None:
        """What staff decided, over or not."""
        if self.exempt_until is None:
            return None
        return Exemption(self.exempt_until, self.exempt_tier.key if self.exempt_tier else None)

    @property
    def recurring(self) -> Recurring | None:
        """What is paid a month, or was paid last while something is owed."""
        if not self.recurring_currency:
            return None
        return Recurring(self.recurring_currency, self.recurring_amount)

    @recurring.setter
    def recurring(self, recurring: Recurring | None) -> None:
        self.recurring_currency = recurring.currency if recurring else ""
        self.recurring_amount = recurring.amount if recurring else None

    def is_exempt(self, now: datetime) -> bool:
        return self.exempt_until is not None and self.exempt_until > now

    @property
    def has_live_subscription(self) -> bool:
        """Whether the subscription that counts has not ended: no second one may be bought."""
        return self.subscription is not None and is_live(self.subscription.stripe_data)

    @property
    def price_ids(self) -> set[str]:
        """The Stripe prices of the subscription that counts, while it lives."""
        if self.subscription is None or not self.has_live_subscription:
            return set()
        return prices_of(self.subscription.stripe_data)

    @property
    def can_change_plan(self) -> bool:
        """Whether another price can be chosen now. What is owed is paid first."""
        return self.status == Status.CURRENT or not self.has_live_subscription

    @property
    def can_choose_free(self) -> bool:
        """Whether an ended subscription's debt keeps it from the free tier, until the owner
        chooses that."""
        return self.status == Status.LAPSED and self.reason in ENDED_FOR_DEBT

    def is_leased(self, now: datetime) -> bool:
        """Whether a process is at it. A lease that ends later than one can that begins now was
        taken by a clock that ran ahead, and counts no more."""
        return self.lease_until is not None and now < self.lease_until <= now + LONGEST_LEASE
