from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_permission_to_impersonate"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="erase_after",
            field=models.DateTimeField(
                blank=True, editable=False, null=True, verbose_name="erase after"
            ),
        ),
        migrations.AddField(
            model_name="user",
            name="erased_at",
            field=models.DateTimeField(
                blank=True, editable=False, null=True, verbose_name="erased at"
            ),
        ),
        migrations.AddIndex(
            model_name="user",
            index=models.Index(
                condition=models.Q(("erase_after__isnull", False)),
                fields=["erase_after"],
                name="accounts_user_to_erase",
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("erase_after__isnull", True), ("erased_at__isnull", True)),
                    ("deleted_at__isnull", False),
                    _connector="OR",
                ),
                name="accounts_user_erased_are_deleted",
                violation_error_message="Only who was deleted is erased.",
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("erased_at__isnull", True),
                    models.Q(
                        ("email__endswith", "@erased.invalid"),
                        ("email__startswith", "erased-"),
                        ("erase_after__isnull", True),
                        ("is_staff", False),
                        ("is_superuser", False),
                        ("name", ""),
                        ("password__startswith", "!"),
                    ),
                    _connector="OR",
                ),
                name="accounts_user_erased_are_nobody",
                violation_error_message="Who was erased has no name, address or password.",
            ),
        ),
    ]
