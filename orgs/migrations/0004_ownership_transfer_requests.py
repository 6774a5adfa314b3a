import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("orgs", "0003_stripe_customer"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="ownershiptransfer",
            options={
                "permissions": [
                    ("transfer_ownership", "Can transfer the ownership of an organization")
                ],
                "verbose_name": "transfer of ownership",
                "verbose_name_plural": "transfers of ownership",
            },
        ),
        migrations.CreateModel(
            name="OwnershipTransferRequest",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("reason", models.TextField(max_length=1000, verbose_name="reason")),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, verbose_name="time"),
                ),
                (
                    "closed_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="closed at"),
                ),
                (
                    "new_owner",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="ownership_requests_received",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="new owner",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="ownership_transfer_requests",
                        to="orgs.organization",
                        verbose_name="organization",
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="ownership_requests_made",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="requested by",
                    ),
                ),
            ],
            options={
                "verbose_name": "request for a transfer of ownership",
                "verbose_name_plural": "requests for a transfer of ownership",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("closed_at__isnull", True)),
                        fields=("organization",),
                        name="orgs_ownershiptransferrequest_one_open",
                    )
                ],
            },
        ),
    ]
