from __future__ import annotations

from typing import Any

import django.core.validators
from django.db import migrations, models


def tell_amounts(apps: Any, schema_editor: Any) -> None:
    """Those that stripe_setup made are ours to replace: so they tell their amounts."""
    prices = apps.get_model("djstripe", "Price").objects.filter(lookup_key__startswith="holdfast_")
    rows = apps.get_model("billing", "TierPrice").objects
    for price in prices.iterator():
        amount = price.stripe_data.get("unit_amount")
        if amount is not None:
            rows.filter(stripe_price_id=price.id).update(amount=amount, currency=price.currency)


def forget_those_that_stripe_lacks(apps: Any, schema_editor: Any) -> None:
    """On the way down there is no row without a price at Stripe. They are planted again."""
    apps.get_model("billing", "TierPrice").objects.filter(stripe_price_id=None).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0007_what_is_paid"),
        ("orgs", "0009_reasons_to_erase"),
    ]

    operations = [
        migrations.AddField(
            model_name="tierprice",
            name="amount",
            field=models.PositiveBigIntegerField(
                blank=True,
                help_text=(
                    "In cents (or the currency's smallest unit), for stripe_setup to make it."
                ),
                null=True,
                verbose_name="amount",
            ),
        ),
        migrations.AddField(
            model_name="tierprice",
            name="currency",
            field=models.CharField(
                blank=True,
                max_length=3,
                validators=[django.core.validators.RegexValidator("^[a-z]{3}\\Z")],
                verbose_name="currency",
            ),
        ),
        migrations.AlterField(
            model_name="tierprice",
            name="stripe_price_id",
            field=models.CharField(
                blank=True,
                help_text=(
                    "price_…, if it was made at Stripe by hand. Empty: stripe_setup makes it."
                ),
                max_length=255,
                null=True,
                unique=True,
                verbose_name="Stripe price",
            ),
        ),
        migrations.RunPython(tell_amounts, forget_those_that_stripe_lacks),
        migrations.AddConstraint(
            model_name="tierprice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("amount__isnull", False), models.Q(("currency", ""), _negated=True)),
                    models.Q(
                        ("amount", None), ("currency", ""), ("stripe_price_id__isnull", False)
                    ),
                    _connector="OR",
                ),
                name="billing_tierprice_is_at_stripe_or_can_be_made",
                violation_error_message=(
                    "Give the Stripe price, or the amount and its currency, for it to be made."
                ),
            ),
        ),
    ]
