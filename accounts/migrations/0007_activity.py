from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F


def begin_with_log_in(apps: Any, schema_editor: Any) -> None:
    """Until now nothing wrote when people were active; whoever logged in was."""
    people = apps.get_model("accounts", "User").objects.using(schema_editor.connection.alias)
    people.filter(last_active__isnull=True).update(last_active=F("last_login"))


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_log_of_requests"),
    ]

    operations = [
        # Before the key's own index goes, which this one stands for from now on.
        migrations.AddIndex(
            model_name="user",
            index=models.Index(
                fields=["organization", "last_active"], name="accounts_user_team_active"
            ),
        ),
        migrations.AlterField(
            model_name="user",
            name="organization",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="members",
                to="orgs.organization",
                verbose_name="organization",
            ),
        ),
        migrations.AddIndex(
            model_name="user",
            index=models.Index(
                condition=models.Q(("last_active__isnull", True)),
                fields=["id"],
                name="accounts_user_never",
            ),
        ),
        migrations.CreateModel(
            name="ActiveWeek",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("week", models.DateField(help_text="Its Monday, in UTC.", verbose_name="week")),
                ("organization_id", models.BigIntegerField(verbose_name="organization")),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="active_weeks",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="person",
                    ),
                ),
            ],
            options={
                "verbose_name": "active week",
                "verbose_name_plural": "active weeks",
                "indexes": [
                    models.Index(
                        fields=["organization_id", "week"], name="accounts_activeweek_team"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("week", "organization_id", "person"),
                        name="accounts_activeweek_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ActiveWeekTotal",
            fields=[
                ("week", models.DateField(primary_key=True, serialize=False, verbose_name="week")),
                ("people", models.PositiveIntegerField(verbose_name="people")),
                ("organizations", models.PositiveIntegerField(verbose_name="organizations")),
            ],
            options={
                "verbose_name": "total of active people",
                "verbose_name_plural": "totals of active people",
            },
        ),
        # Last, because PostgreSQL alters no table whose rows this transaction has written.
        migrations.RunPython(begin_with_log_in, migrations.RunPython.noop, elidable=True),
    ]
