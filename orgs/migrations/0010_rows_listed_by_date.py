from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("djstripe", "0003_2_11"),
        ("orgs", "0009_reasons_to_erase"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name="organization",
            index=models.Index(fields=["created_at", "id"], name="orgs_organization_founded"),
        ),
    ]
