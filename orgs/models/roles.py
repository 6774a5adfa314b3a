from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import Permission
from django.db import models
from django.db.models import Case, Count, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Cast, Coalesce, Lower
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from guardian.models import UserObjectPermissionBase

from orgs.constraints import CompositeForeignKey
from orgs.models.deletions import SoftDeletion
from orgs.models.organizations import Organization

# Ownership is not a role: `Organization.owner` is its only truth (docs/rules.md, "Ownership").
REFUSED_KEY = "organization_owner"
# The scope of a role that every organization may use; that of its own is the organization's id.
BUILT_IN = "built-in"
AS_SCOPE = Cast("organization_id", models.CharField(max_length=32))


class RoleKind(models.TextChoices):
    ORGANIZATION = "organization", _("organization")
    DEVELOPER = "developer", _("developer")


class RoleQuerySet(models.QuerySet["Role"]):
    def for_members_of(self, organization: Organization) -> RoleQuerySet:
        """The roles that members of an organization can hold: the built-in ones and its own."""
        theirs = Q(organization=organization) | Q(organization__isnull=True)
        return self.filter(theirs, kind=RoleKind.ORGANIZATION).order_by("organization", "name")

    def with_holders(self, organization: Organization) -> RoleQuerySet:
        """With `holders`, the number of people who hold each in an organization."""
        held = UserRoleAssignment.objects.active().filter(
            role=OuterRef("pk"), organization=organization
        )
        number = held.order_by().values("role").annotate(number=Count("*")).values("number")
        return self.annotate(holders=Coalesce(Subquery(number), 0))


class Role(models.Model):
    """A named set of permissions, for features only. Built in, or an organization's own."""

    key = models.SlugField(_("key"))
    name = models.CharField(_("name"), max_length=80)
    kind = models.CharField(
        _("kind"), max_length=16, choices=RoleKind.choices, default=RoleKind.ORGANIZATION
    )
    organization = models.ForeignKey(
        Organization,
        verbose_name=_("organization"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="roles",
        help_text=_("Empty: built in, for all."),
    )
    permissions = models.ManyToManyField(
        Permission, verbose_name=_("permissions"), blank=True, related_name="roles"
    )

    # Where it can be held, in one column that is never null: what an assignment's composite key
    # refers to.
    scope = models.GeneratedField(
        expression=Coalesce(AS_SCOPE, Value(BUILT_IN)),
        output_field=models.CharField(max_length=32),
        db_persist=True,
    )

    objects = RoleQuerySet.as_manager()

    class Meta:
        verbose_name = _("role")
        verbose_name_plural = _("roles")
        indexes = [
            # Names are looked for by how they begin, which on PostgreSQL takes this class.
            models.Index(
                fields=["name"], opclasses=["varchar_pattern_ops"], name="orgs_role_name_begins"
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(key__iexact=REFUSED_KEY),
                name="orgs_role_ownership_is_none",
                violation_error_message=_("Ownership is not a role."),
            ),
            models.CheckConstraint(
                condition=Q(kind=RoleKind.ORGANIZATION)
                | Q(kind=RoleKind.DEVELOPER, organization__isnull=True),
                name="orgs_role_developers_roles_are_built_in",
                violation_error_message=_("An organization's own roles are for its members."),
            ),
            models.UniqueConstraint(
                Lower("key"), "organization", name="orgs_role_key_in_organization"
            ),
            models.UniqueConstraint(
                Lower("key"), condition=Q(organization__isnull=True), name="orgs_role_built_in_key"
            ),
            # What an assignment's composite keys refer to.
            models.UniqueConstraint(fields=["id", "kind"], name="orgs_role_kind"),
            models.UniqueConstraint(fields=["id", "scope"], name="orgs_role_scope"),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """The name as people read it: that of a built-in role in their language."""
        return self.name if self.organization_id else gettext(self.name)


class UserRoleAssignmentQuerySet(models.QuerySet["UserRoleAssignment"]):
    def active(self) -> UserRoleAssignmentQuerySet:
        return self.filter(is_active=True)

    def not_revoked(self) -> UserRoleAssignmentQuerySet:
        """Active, or ended by a soft delete alone, so that restoring brings them back."""
        return self.filter(revoked_at__isnull=True)


class UserRoleAssignment(models.Model):
    """This person holds this role. Revoked ones stay, to be seen; the log says who did what."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("person"),
        on_delete=models.CASCADE,
        related_name="role_assignments",
    )
    role = models.ForeignKey(
        Role,
        verbose_name=_("role"),
        on_delete=models.PROTECT,
        related_name="assignments",
        db_index=False,  # An index below begins with it; so for the organization.
    )
    # The role's kind and scope again, so that the database can hold kinds and organizations apart.
    kind = models.CharField(_("kind"), max_length=16, choices=RoleKind.choices, editable=False)
    role_scope = models.CharField(_("scope of the role"), max_length=32, editable=False)
    organization = models.ForeignKey(
        Organization,
        verbose_name=_("organization"),
        null=True,
        on_delete=models.CASCADE,
        related_name="role_assignments",
        db_index=False,
    )
    is_active = models.BooleanField(_("active"), default=True)
    assigned_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("assigned by"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    assigned_at = models.DateTimeField(_("assigned at"), default=timezone.now)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("revoked by"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    revoked_at = models.DateTimeField(_("revoked at"), null=True)
    # The soft delete that ended it, until it is brought back. One that is revoked meanwhile keeps
    # it, and stays ended.
    disabled_by = models.ForeignKey(
        SoftDeletion,
        verbose_name=_("disabled by"),
        null=True,
        # Both go with their person.
        on_delete=models.RESTRICT,
        related_name="disabled_assignments",
    )

    # The organization that the holder must belong to, by I9 of docs/rules.md, and the type that
    # a holder of a developer role must be of. Null, and so without effect, once revoked.
    held_in_id = models.GeneratedField(
        expression=Case(When(is_active=True, then=F("organization_id"))),
        output_field=models.BigIntegerField(null=True),
        db_persist=True,
    )
    held_by_type = models.GeneratedField(
        expression=Case(
            When(Q(is_active=True) & Q(kind=RoleKind.DEVELOPER), then=F("kind")),
        ),
        output_field=models.CharField(max_length=16, null=True),
        db_persist=True,
    )

    objects = UserRoleAssignmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("role of a person")
        verbose_name_plural = _("roles of people")
        indexes = [
            # Who holds a role in one organization, and how many.
            models.Index(
                fields=["organization", "role", "user"],
                condition=Q(is_active=True),
                name="orgs_userroleassignment_here",
            ),
            # What the admin's filters ask for, newest first.
            models.Index(fields=["role", "id"], name="orgs_userroleassignment_role"),
            models.Index(fields=["organization", "id"], name="orgs_userroleassignment_org"),
            models.Index(
                fields=["id"], condition=Q(is_active=False), name="orgs_userroleassignment_ended"
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "role"],
                condition=Q(is_active=True),
                name="orgs_userroleassignment_once",
            ),
            models.CheckConstraint(
                condition=Q(kind=RoleKind.ORGANIZATION, organization__isnull=False)
                | Q(kind=RoleKind.DEVELOPER, organization__isnull=True),
                name="orgs_userroleassignment_kinds_agree",
            ),
            models.CheckConstraint(
                condition=Q(role_scope=BUILT_IN)
                | Q(organization__isnull=False, role_scope=AS_SCOPE),
                name="orgs_userroleassignment_within_scope",
            ),
            models.CheckConstraint(
                condition=Q(is_active=True, revoked_at__isnull=True, disabled_by__isnull=True)
                | Q(is_active=False, revoked_at__isnull=False)
                | Q(is_active=False, disabled_by__isnull=False),
                name="orgs_userroleassignment_ends_once",
            ),
            CompositeForeignKey(
                name="orgs_userroleassignment_disabled_with_holder",
                fields=("disabled_by", "user"),
                to_fields=("id", "user"),
                violation_error_message=_("This is another person's deletion."),
            ),
            CompositeForeignKey(
                name="orgs_userroleassignment_kind_is_roles",
                fields=("role", "kind"),
                to_fields=("id", "kind"),
                violation_error_message=_("This role is of another kind."),
            ),
            CompositeForeignKey(
                name="orgs_userroleassignment_scope_is_roles",
                fields=("role", "role_scope"),
                to_fields=("id", "scope"),
                violation_error_message=_("This role is another organization's own."),
            ),
            CompositeForeignKey(
                name="orgs_userroleassignment_holder_is_member",
                fields=("user", "held_in_id"),
                to_fields=("id", "organization"),
                violation_error_message=_("Only members of the organization can hold this role."),
            ),
            CompositeForeignKey(
                name="orgs_userroleassignment_holder_is_developer",
                fields=("user", "held_by_type"),
                to_fields=("id", "user_type"),
                violation_error_message=_("Only developers can hold this role."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.role}"


class Grant(UserObjectPermissionBase):
    """django-guardian's direct grant: this person, this organization, this permission, no role.

    A table of its own, so that both keys are real ones and go when what they name goes.
    """

    content_object = models.ForeignKey(
        Organization,
        verbose_name=_("organization"),
        on_delete=models.CASCADE,
        related_name="grants",
    )

    class Meta(UserObjectPermissionBase.Meta):
        verbose_name = _("grant")
        verbose_name_plural = _("grants")
