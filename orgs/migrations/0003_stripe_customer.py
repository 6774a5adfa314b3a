import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """One organization, one Stripe customer (I6)."""

    dependencies = [
        ("djstripe", "0003_2_11"),
        ("orgs", "0002_owner_is_member"),
    ]

    operations = [
        migrations.AddField(
            model_name="organization",
            name="stripe_customer",
            field=models.OneToOneField(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="organization",
                to="djstripe.customer",
                to_field="id",
                verbose_name="Stripe customer",
            ),
        ),
    ]
