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
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext_lazy as _

from accounts.managers import UserManager

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
    # In which zone and language they read, as their browser said last, for the mails to them.
    # Empty: none was told, or it is the default.
    # The database has the default too: rows may come from a process that does not know them yet.
    time_zone = models.CharField(
        _("time zone"), max_length=64, blank=True, default="", db_default="", editable=False
    )
    language = models.CharField(
        _("language"), max_length=16, blank=True, default="", db_default="", editable=False
    )
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

    # Whether an authenticator app or a passkey protects the account. Only who was loaded by
    # `with_access()`, as each request's person is, has it.
    has_second_factor: bool

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
            # Where a day begins among them.
            models.Index(fields=["created_at", "id"], name="accounts_user_created"),
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

    def is_session_hash(self, told: str) -> bool:
        """Whether a session that names this is one of theirs which goes on; where the secret key
        was changed, too."""
        hashes = (self.get_session_auth_hash(), *self.get_session_auth_fallback_hash())
        return any(constant_time_compare(told, each) for each in hashes)

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
