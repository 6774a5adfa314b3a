from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0009_syncs_are_kept"),
        ("orgs", "0010_rows_listed_by_date"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name="payermail",
            index=models.Index(fields=["created_at", "id"], name="billing_payermail_noticed"),
        ),
    ]
