from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("orgs", "0008_rows_listed_by_indexes"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="softdeletion",
            options={
                "permissions": [
                    ("restore_person", "Can restore a person who was soft-deleted"),
                    ("erase_person", "Can have the data of a deleted person erased"),
                ],
                "verbose_name": "soft deletion",
                "verbose_name_plural": "soft deletions",
            },
        ),
        migrations.AddField(
            model_name="softdeletion",
            name="erasure_reason",
            field=models.TextField(blank=True, verbose_name="reason to erase"),
        ),
    ]
