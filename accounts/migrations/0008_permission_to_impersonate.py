from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_activity"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="user",
            options={
                "permissions": [("impersonate_user", "Can see the product as a person does")],
                "verbose_name": "person",
                "verbose_name_plural": "people",
            },
        ),
    ]
