"""What happened here that a higher app may act on."""

from django.dispatch import Signal

# Sent inside the transaction that did it. Arguments: organization.
organization_founded = Signal()

# What Stripe should know of the organization (its name, who pays) is another now. Sent inside the
# transaction, so that whoever must follow is marked in it. Arguments: organization.
billing_details_changed = Signal()

# An organization is being closed, and one that was closed is being removed. Sent inside the
# transaction; a receiver that knows of a subscription which lives raises StillBilled.
# Arguments: organization.
organization_closing = Signal()
organization_removing = Signal()

# Sent once it is committed. Arguments: organization, transfer.
ownership_transferred = Signal()
