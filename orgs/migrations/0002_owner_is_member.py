from django.db import migrations

import orgs.constraints


class Migration(migrations.Migration):
    """The owner is a member (I2, I3). PostgreSQL wants the unique constraint that this key refers
    to first, and accounts.0002 makes it."""

    dependencies = [
        ("accounts", "0002_membership_and_event_log"),
        ("orgs", "0001_organizations"),
    ]

    operations = [
        migrations.AddConstraint(
            model_name="organization",
            constraint=orgs.constraints.CompositeForeignKey(
                fields=("owner", "id"),
                name="orgs_organization_owner_is_member",
                to_fields=("id", "ownable_organization_id"),
                violation_error_message="The owner must be an active member.",
            ),
        ),
    ]
