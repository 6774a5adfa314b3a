import uuid

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("djstripe", "0003_2_11"),
        ("orgs", "0003_stripe_customer"),
    ]

    operations = [
        migrations.CreateModel(
            name="TierPrice",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "tier",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="prices",
                        to="orgs.tier",
                        verbose_name="tier",
                    ),
                ),
                (
                    "stripe_price_id",
                    models.CharField(max_length=255, unique=True, verbose_name="Stripe price"),
                ),
                (
                    "interval",
                    models.CharField(
                        choices=[("month", "month"), ("year", "year")],
                        max_length=8,
                        verbose_name="interval",
                    ),
                ),
                (
                    "trial_days",
                    models.PositiveSmallIntegerField(
                        blank=True, null=True, verbose_name="trial in days"
                    ),
                ),
            ],
            options={
                "verbose_name": "price of a tier",
                "verbose_name_plural": "prices of tiers",
            },
        ),
        migrations.CreateModel(
            name="Standing",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "subscription",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="djstripe.subscription",
                        to_field="id",
                        verbose_name="subscription",
                    ),
                ),
                (
                    "organization",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="standing",
                        to="orgs.organization",
                        verbose_name="organization",
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("free", "free"),
                            ("current", "current"),
                            ("past_due", "past due"),
                            ("lapsed", "lapsed"),
                        ],
                        default="free",
                        max_length=16,
                        verbose_name="status",
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=64, verbose_name="reason")),
                ("grace_ends_at", models.DateTimeField(null=True, verbose_name="grace ends at")),
                ("ends_at", models.DateTimeField(null=True, verbose_name="ends at")),
                (
                    "free_chosen_at",
                    models.DateTimeField(null=True, verbose_name="free tier chosen at"),
                ),
                (
                    "sync_requested_at",
                    models.DateTimeField(null=True, verbose_name="sync requested at"),
                ),
                ("synced_at", models.DateTimeField(null=True, verbose_name="synced at")),
                ("lease_until", models.DateTimeField(null=True, verbose_name="lease until")),
                (
                    "generation",
                    models.PositiveBigIntegerField(default=0, verbose_name="generation"),
                ),
                (
                    "customer_key",
                    models.UUIDField(default=uuid.uuid4, unique=True, verbose_name="customer key"),
                ),
            ],
            options={
                "verbose_name": "standing",
                "verbose_name_plural": "standings",
            },
        ),
        migrations.AddIndex(
            model_name="standing",
            index=models.Index(
                models.F("sync_requested_at"),
                condition=models.Q(("sync_requested_at__isnull", False)),
                name="billing_standing_marked",
            ),
        ),
    ]
