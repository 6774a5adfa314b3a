from __future__ import annotations

from typing import Any

import django.db.models.deletion
from django.db import migrations, models

from billing.recurring import monthly


def tell_what_is_paid(apps: Any, schema_editor: Any) -> None:
    """Write what is paid by those who pay already: else the next change would look like their
    first."""
    paying = apps.get_model("billing", "Standing").objects.filter(subscription__isnull=False)
    for standing in paying.select_related("subscription").iterator():
        subscription = standing.subscription.stripe_data
        recurring = monthly(subscription)
        # Trials pay nothing, and are paused where nobody pays after them.
        if recurring is None or subscription["status"] in {"trialing", "paused"}:
            continue
        standing.recurring_currency = recurring.currency
        standing.recurring_amount = recurring.amount
        standing.save(update_fields=["recurring_currency", "recurring_amount"])


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0009_erasure_of_people"),
        ("billing", "0006_reconciling"),
        ("djstripe", "0003_2_11"),
        ("orgs", "0009_reasons_to_erase"),
    ]

    operations = [
        migrations.CreateModel(
            name="Movement",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("created_at", models.DateTimeField(verbose_name="time")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("new", "new"),
                            ("upgraded", "upgraded"),
                            ("downgraded", "downgraded"),
                            ("lapsed", "lapsed"),
                            ("recovered", "recovered"),
                            ("left", "left"),
                        ],
                        max_length=16,
                        verbose_name="kind",
                    ),
                ),
                (
                    "month",
                    models.DateField(help_text="Its first day, in UTC.", verbose_name="month"),
                ),
                ("currency", models.CharField(blank=True, max_length=3, verbose_name="currency")),
                ("amount", models.BigIntegerField(null=True, verbose_name="amount")),
            ],
            options={
                "verbose_name": "movement of revenue",
                "verbose_name_plural": "movements of revenue",
            },
        ),
        migrations.CreateModel(
            name="MovementTotal",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("month", models.DateField(verbose_name="month")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("new", "new"),
                            ("upgraded", "upgraded"),
                            ("downgraded", "downgraded"),
                            ("lapsed", "lapsed"),
                            ("recovered", "recovered"),
                            ("left", "left"),
                        ],
                        max_length=16,
                        verbose_name="kind",
                    ),
                ),
                ("currency", models.CharField(blank=True, max_length=3, verbose_name="currency")),
                ("movements", models.PositiveIntegerField(verbose_name="movements")),
                ("amount", models.BigIntegerField(verbose_name="amount")),
            ],
            options={
                "verbose_name": "total of movements",
                "verbose_name_plural": "totals of movements",
            },
        ),
        migrations.CreateModel(
            name="StandingTotal",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("tier", models.SlugField(help_text="Its key.", verbose_name="tier")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("free", "free"),
                            ("current", "current"),
                            ("past_due", "past due"),
                            ("lapsed", "lapsed"),
                        ],
                        max_length=16,
                        verbose_name="status",
                    ),
                ),
                ("currency", models.CharField(blank=True, max_length=3, verbose_name="currency")),
                ("organizations", models.PositiveIntegerField(verbose_name="organizations")),
                ("told", models.PositiveIntegerField(verbose_name="whose amount is told")),
                ("amount", models.BigIntegerField(verbose_name="amount")),
                ("dormant", models.PositiveIntegerField(verbose_name="at risk")),
                ("counted_at", models.DateTimeField(verbose_name="counted at")),
            ],
            options={
                "verbose_name": "total of standings",
                "verbose_name_plural": "totals of standings",
            },
        ),
        migrations.AddField(
            model_name="standing",
            name="recurring_amount",
            field=models.BigIntegerField(null=True, verbose_name="pays a month"),
        ),
        migrations.AddField(
            model_name="standing",
            name="recurring_currency",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=3, verbose_name="pays in"
            ),
        ),
        migrations.AddField(
            model_name="standing",
            name="is_billed_twice",
            field=models.BooleanField(db_default=False, default=False, verbose_name="billed twice"),
        ),
        migrations.AddIndex(
            model_name="standing",
            index=models.Index(fields=["reason", "id"], name="billing_standing_reason"),
        ),
        migrations.AddIndex(
            model_name="standing",
            index=models.Index(
                condition=models.Q(("is_billed_twice", True)),
                fields=["id"],
                name="billing_standing_twice",
            ),
        ),
        migrations.AddIndex(
            model_name="standing",
            index=models.Index(
                fields=["recurring_currency", "status", "id"], name="billing_standing_pays"
            ),
        ),
        migrations.AddConstraint(
            model_name="standing",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("recurring_amount__isnull", True),
                    models.Q(("recurring_currency", ""), _negated=True),
                    _connector="OR",
                ),
                name="billing_standing_amount_has_currency",
            ),
        ),
        migrations.AddField(
            model_name="movement",
            name="line",
            field=models.OneToOneField(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="movement",
                to="accounts.usereventlog",
                verbose_name="line of the log",
            ),
        ),
        migrations.AddField(
            model_name="movement",
            name="organization",
            field=models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="movements",
                to="orgs.organization",
                verbose_name="organization",
            ),
        ),
        migrations.AddConstraint(
            model_name="movementtotal",
            constraint=models.UniqueConstraint(
                fields=("month", "kind", "currency"), name="billing_movementtotal_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="standingtotal",
            constraint=models.UniqueConstraint(
                fields=("tier", "status", "currency"), name="billing_standingtotal_once"
            ),
        ),
        migrations.AddIndex(
            model_name="movement",
            index=models.Index(fields=["kind", "id"], name="billing_movement_kind"),
        ),
        migrations.AddIndex(
            model_name="movement",
            index=models.Index(fields=["month", "id"], name="billing_movement_month"),
        ),
        migrations.AddIndex(
            model_name="movement",
            index=models.Index(fields=["month", "kind", "id"], name="billing_movement_both"),
        ),
        # Last: PostgreSQL changes no table of which rows were written just before.
        migrations.RunPython(tell_what_is_paid, migrations.RunPython.noop, elidable=True),
    ]
