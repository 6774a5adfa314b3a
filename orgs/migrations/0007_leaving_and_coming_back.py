import django.db.models.deletion
import django.utils.timezone
from django.apps.registry import Apps
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

import orgs.constraints


def revoke_disabled(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """On the way down, what a soft delete ended is ended for good: there is no other way to say
    so before this migration."""
    assignments = apps.get_model("orgs", "UserRoleAssignment").objects
    assignments.filter(is_active=False, revoked_at__isnull=True).update(
        revoked_at=django.utils.timezone.now()
    )
    if schema_editor.connection.vendor == "postgresql":
        # A table is not altered while checks of its rows are outstanding.
        schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")


class Migration(migrations.Migration):
    """The unique constraint on deletions comes before the composite key that refers to it."""

    dependencies = [
        ("orgs", "0006_roles_and_grants"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="SoftDeletion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="soft_deletions",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="person",
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="by",
                    ),
                ),
                ("reason", models.TextField(verbose_name="reason")),
                (
                    "deleted_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, verbose_name="deleted at"
                    ),
                ),
                ("was_active", models.BooleanField(verbose_name="was active")),
                (
                    "grants",
                    models.JSONField(default=list, verbose_name="grants that it ended"),
                ),
                ("restored_at", models.DateTimeField(null=True, verbose_name="restored at")),
                (
                    "restored_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="restored by",
                    ),
                ),
            ],
            options={
                "verbose_name": "soft deletion",
                "verbose_name_plural": "soft deletions",
                "permissions": [("restore_person", "Can restore a person who was soft-deleted")],
            },
        ),
        migrations.AddConstraint(
            model_name="softdeletion",
            constraint=models.UniqueConstraint(
                condition=models.Q(("restored_at__isnull", True)),
                fields=("user",),
                name="orgs_softdeletion_one_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="softdeletion",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True),
                name="orgs_softdeletion_has_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="softdeletion",
            constraint=models.UniqueConstraint(
                fields=("id", "user"), name="orgs_softdeletion_of_person"
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="roles",
            field=models.ManyToManyField(
                blank=True, related_name="invitations", to="orgs.role", verbose_name="roles"
            ),
        ),
        migrations.RemoveConstraint(
            model_name="userroleassignment",
            name="orgs_userroleassignment_ends_once",
        ),
        migrations.AddField(
            model_name="userroleassignment",
            name="disabled_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.RESTRICT,
                related_name="disabled_assignments",
                to="orgs.softdeletion",
                verbose_name="disabled by",
            ),
        ),
        migrations.AddConstraint(
            model_name="userroleassignment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("disabled_by__isnull", True),
                        ("is_active", True),
                        ("revoked_at__isnull", True),
                    ),
                    models.Q(("is_active", False), ("revoked_at__isnull", False)),
                    models.Q(("disabled_by__isnull", False), ("is_active", False)),
                    _connector="OR",
                ),
                name="orgs_userroleassignment_ends_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="userroleassignment",
            constraint=orgs.constraints.CompositeForeignKey(
                fields=("disabled_by", "user"),
                name="orgs_userroleassignment_disabled_with_holder",
                to_fields=("id", "user"),
                violation_error_message="This is another person's deletion.",
            ),
        ),
        migrations.RunPython(migrations.RunPython.noop, revoke_disabled),
    ]
