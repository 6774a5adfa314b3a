from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from asgiref.sync import sync_to_async
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.models import AbstractBaseUser, PermissionsMixin
from django.db import models
from django.db.models import Case, F, Q, When
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.events import Event
from accounts.managers import ActiveWeekQuerySet, UserManager

# The address of somebody erased: it leads nowhere (RFC 2606) and holds nothing of the old one.
ERASED_DOMAIN = "erased.invalid"


class UserType(models.TextChoices):
    MEMBER = "member", _("member")
    DEVELOPER = "developer", _("developer")


class User(AbstractBaseUser, PermissionsMixin):
    """A person. Members belong to one organization or to none; developers are our own staff."""

    email = models.EmailField(
        _("e-mail address"),
        # Django's own checks ask for this one; the constraint below is the rule.
        unique=True,
        error_messages={"unique": _("Someone with this e-mail address exists already.")},
    )
    name = models.CharField(_("name"), max_length=150, blank=True)
    organization = models.ForeignKey(
        "orgs.Organization",
        verbose_name=_("organization"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="members",
        db_index=False,  # An index below begins with it.
    )
    user_type = models.CharField(
        _("type"), max_length=16, choices=UserType.choices, default=UserType.MEMBER
    )
    is_active = models.BooleanField(_("active"), default=True)
    is_staff = models.BooleanField(
        _("staff"), default=False, help_text=_("May open the admin. Developers only.")
    )
    deleted_at = models.DateTimeField(_("deleted at"), null=True, blank=True, editable=False)
    # Of somebody deleted: when `manage.py erase_deleted_people` is to erase who they were, and when
    # it did (docs/rules.md, "Export and erasure"). Null: their data stay.
    erase_after = models.DateTimeField(_("erase after"), null=True, blank=True, editable=False)
    erased_at = models.DateTimeField(_("erased at"), null=True, blank=True, editable=False)
    last_active = models.DateTimeField(
        _("last active"), null=True, blank=True, db_index=True, editable=False
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    # A session is good for the generation in which it was begun: raising it ends all of them,
    # wherever they are stored.
    session_generation = models.PositiveIntegerField(
        _("generation of sessions"), default=0, editable=False
    )

    # The organization that this person may own, by I2 and I3 of docs/rules.md. The key
    # orgs_organization_owner_is_member refers to it, so whoever owns an organization can be
    # neither deactivated, deleted, moved nor made a developer.
    ownable_organization_id = models.GeneratedField(
        expression=Case(
            When(
                Q(is_active=True) & Q(deleted_at__isnull=True) & Q(user_type=UserType.MEMBER),
                then=F("organization_id"),
            ),
        ),
        output_field=models.BigIntegerField(null=True),
        db_persist=True,
    )

    # Who answers what a person may do to an object, by the object's class. orgs, which is not
    # known here, adds organizations.
    judges: ClassVar[dict[type[models.Model], Callable[[User, str, Any], bool]]] = {}

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = []

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        permissions = [("impersonate_user", _("Can see the product as a person does"))]
        indexes = [
            # The people of one organization, in the order in which they are shown.
            models.Index(
                fields=["organization", "name", "email"],
                condition=Q(deleted_at__isnull=True),
                name="accounts_user_team",
            ),
            # When the people of one organization were active.
            models.Index(fields=["organization", "last_active"], name="accounts_user_team_active"),
            # What the admin's filters ask for and few are.
            models.Index(
                fields=["id"],
                condition=Q(user_type=UserType.DEVELOPER),
                name="accounts_user_developers",
            ),
            models.Index(fields=["id"], condition=Q(is_staff=True), name="accounts_user_staff"),
            models.Index(
                fields=["id"], condition=Q(is_active=False), name="accounts_user_inactive"
            ),
            models.Index(
                fields=["id"], condition=Q(deleted_at__isnull=False), name="accounts_user_deleted"
            ),
            models.Index(
                fields=["id"], condition=Q(last_active__isnull=True), name="accounts_user_never"
            ),
            # What the daily command looks for.
            models.Index(
                fields=["erase_after"],
                condition=Q(erase_after__isnull=False),
                name="accounts_user_to_erase",
            ),
        ]
        constraints = [
            models.UniqueConstraint(Lower("email"), name="accounts_user_email_is_one_person"),
            models.UniqueConstraint(
                fields=["id", "ownable_organization_id"],
                name="accounts_user_ownable_organization",
            ),
            # What the composite keys of role assignments refer to (I9 of docs/rules.md).
            models.UniqueConstraint(
                fields=["id", "organization"], name="accounts_user_in_organization"
            ),
            models.UniqueConstraint(fields=["id", "user_type"], name="accounts_user_of_type"),
            models.CheckConstraint(
                condition=Q(is_staff=False) | Q(user_type=UserType.DEVELOPER),
                name="accounts_user_staff_are_developers",
                violation_error_message=_("Only developers can be staff."),
            ),
            models.CheckConstraint(
                condition=Q(organization__isnull=True) | Q(user_type=UserType.MEMBER),
                name="accounts_user_developers_have_no_organization",
                violation_error_message=_("Developers belong to no organization."),
            ),
            models.CheckConstraint(
                condition=Q(deleted_at__isnull=True) | Q(is_active=False),
                name="accounts_user_deleted_are_inactive",
                violation_error_message=_("Who was deleted is not active."),
            ),
            models.CheckConstraint(
                condition=Q(erase_after__isnull=True, erased_at__isnull=True)
                | Q(deleted_at__isnull=False),
                name="accounts_user_erased_are_deleted",
                violation_error_message=_("Only who was deleted is erased."),
            ),
            # Nobody is erased by half.
            models.CheckConstraint(
                condition=Q(erased_at__isnull=True)
                | Q(
                    erase_after__isnull=True,
                    name="",
                    email__startswith="erased-",
                    email__endswith=f"@{ERASED_DOMAIN}",
                    password__startswith=UNUSABLE_PASSWORD_PREFIX,
                    is_staff=False,
                    is_superuser=False,
                ),
                name="accounts_user_erased_are_nobody",
                violation_error_message=_("Who was erased has no name, address or password."),
            ),
        ]

    def __str__(self) -> str:
        return self.email

    def get_full_name(self) -> str:
        return self.name or (str(_("Erased person")) if self.erased_at else self.email)

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Answer as Django does; about an object that has a judge, as the judge does.

        A backend of Django's would be made anew for each question, which takes longer than the
        answer; and before it were asked, a superuser's flag would be one.
        """
        judge = self.judges.get(type(obj))
        return super().has_perm(perm, obj) if judge is None else judge(self, perm, obj)

    async def ahas_perm(self, perm: str, obj: Any = None) -> bool:
        return await sync_to_async(self.has_perm)(perm, obj)

    def get_session_auth_hash(self) -> str:
        return self._of_this_generation(super().get_session_auth_hash())

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        return map(self._of_this_generation, super().get_session_auth_fallback_hash())

    def _of_this_generation(self, session_hash: str) -> str:
        return f"{session_hash}:{self.session_generation}"

    def get_short_name(self) -> str:
        return self.name.split(" ")[0] if self.name else self.get_full_name()

    @property
    def is_developer(self) -> bool:
        return self.user_type == UserType.DEVELOPER

    @property
    def is_present(self) -> bool:
        """Active and not soft-deleted."""
        return self.is_active and self.deleted_at is None


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
        return f"{self.event} ({self.created_at:%Y-%m-%d %H:%M:%S})"

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
