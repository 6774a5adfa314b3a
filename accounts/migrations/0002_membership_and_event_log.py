import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Who belongs where. The generated column comes after the column that it reads."""

    dependencies = [
        ("accounts", "0001_people"),
        ("orgs", "0001_organizations"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="organization",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="members",
                to="orgs.organization",
                verbose_name="organization",
            ),
        ),
        migrations.AddField(
            model_name="user",
            name="ownable_organization_id",
            field=models.GeneratedField(
                db_persist=True,
                expression=models.Case(
                    models.When(
                        models.Q(
                            ("is_active", True),
                            ("deleted_at__isnull", True),
                            ("user_type", "member"),
                        ),
                        then=models.F("organization_id"),
                    )
                ),
                output_field=models.BigIntegerField(null=True),
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.UniqueConstraint(
                fields=("id", "ownable_organization_id"), name="accounts_user_ownable_organization"
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("organization__isnull", True), ("user_type", "member"), _connector="OR"
                ),
                name="accounts_user_developers_have_no_organization",
                violation_error_message="Developers belong to no organization.",
            ),
        ),
        migrations.CreateModel(
            name="UserEventLog",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("event", models.CharField(max_length=64, verbose_name="event")),
                (
                    "user",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="events",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="person",
                    ),
                ),
                (
                    "actor",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="acts",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="actor",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="events",
                        to="orgs.organization",
                        verbose_name="organization",
                    ),
                ),
                ("data", models.JSONField(default=dict, verbose_name="data")),
                ("ip_address", models.GenericIPAddressField(null=True, verbose_name="address")),
                (
                    "created_at",
                    models.DateTimeField(
                        db_index=True, default=django.utils.timezone.now, verbose_name="time"
                    ),
                ),
            ],
            options={
                "verbose_name": "event",
                "verbose_name_plural": "event log",
            },
        ),
    ]
