import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_people_listed_by_indexes"),
    ]

    operations = [
        migrations.CreateModel(
            name="LogExport",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("first_id", models.BigIntegerField(verbose_name="first line")),
                ("last_id", models.BigIntegerField(verbose_name="last line")),
                ("lines", models.PositiveBigIntegerField(verbose_name="number of lines")),
                ("sha256", models.CharField(max_length=64, verbose_name="SHA-256 of the file")),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, verbose_name="time"),
                ),
            ],
            options={
                "verbose_name": "export of the log",
                "verbose_name_plural": "exports of the log",
            },
        ),
        migrations.AddField(
            model_name="usereventlog",
            name="device",
            field=models.CharField(blank=True, default="", max_length=200, verbose_name="device"),
        ),
        migrations.AddField(
            model_name="usereventlog",
            name="impersonator",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="acts_as_others",
                to=settings.AUTH_USER_MODEL,
                verbose_name="impersonator",
            ),
        ),
        migrations.AddField(
            model_name="usereventlog",
            name="request_id",
            field=models.CharField(blank=True, default="", max_length=64, verbose_name="request"),
        ),
        migrations.AlterField(
            model_name="usereventlog",
            name="actor",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="acts",
                to=settings.AUTH_USER_MODEL,
                verbose_name="actor",
            ),
        ),
        migrations.AlterField(
            model_name="usereventlog",
            name="organization",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="events",
                to="orgs.organization",
                verbose_name="organization",
            ),
        ),
        migrations.AlterField(
            model_name="usereventlog",
            name="user",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="events",
                to=settings.AUTH_USER_MODEL,
                verbose_name="person",
            ),
        ),
        migrations.AddIndex(
            model_name="usereventlog",
            index=models.Index(fields=["organization", "id"], name="accounts_log_organization"),
        ),
        migrations.AddIndex(
            model_name="usereventlog",
            index=models.Index(fields=["user", "id"], name="accounts_log_user"),
        ),
        migrations.AddIndex(
            model_name="usereventlog",
            index=models.Index(fields=["actor", "id"], name="accounts_log_actor"),
        ),
        migrations.AddIndex(
            model_name="usereventlog",
            index=models.Index(fields=["event", "id"], name="accounts_log_event"),
        ),
        migrations.AddIndex(
            model_name="usereventlog",
            index=models.Index(
                condition=models.Q(("impersonator__isnull", False)),
                fields=["impersonator", "id"],
                name="accounts_log_impersonator",
            ),
        ),
        migrations.AddConstraint(
            model_name="logexport",
            constraint=models.CheckConstraint(
                condition=models.Q(("first_id__lte", models.F("last_id")), ("lines__gt", 0)),
                name="accounts_logexport_is_a_range",
            ),
        ),
    ]
