import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0003_standings_listed_by_status"),
        ("djstripe", "0003_2_11"),
        ("orgs", "0009_reasons_to_erase"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="standing",
            options={
                "permissions": [("exempt_standing", "Exempt an organization from billing")],
                "verbose_name": "standing",
                "verbose_name_plural": "standings",
            },
        ),
        migrations.AddField(
            model_name="standing",
            name="exempt_reason",
            field=models.CharField(blank=True, max_length=500, verbose_name="why exempt"),
        ),
        migrations.AddField(
            model_name="standing",
            name="exempt_tier",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="orgs.tier",
                verbose_name="tier while exempt",
            ),
        ),
        migrations.AddField(
            model_name="standing",
            name="exempt_until",
            field=models.DateTimeField(null=True, verbose_name="exempt until"),
        ),
        migrations.AddIndex(
            model_name="standing",
            index=models.Index(
                models.F("exempt_until"),
                condition=models.Q(("exempt_until__isnull", False)),
                name="billing_standing_exempt",
            ),
        ),
        migrations.AddConstraint(
            model_name="standing",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("exempt_reason", ""),
                        ("exempt_tier__isnull", True),
                        ("exempt_until__isnull", True),
                    ),
                    models.Q(
                        ("exempt_until__isnull", False),
                        models.Q(("exempt_reason", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="billing_standing_exemption_is_whole",
            ),
        ),
    ]
