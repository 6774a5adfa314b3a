"""What happened here that a higher app may act on. Sent inside the transaction that did it."""

from django.dispatch import Signal

# Arguments: organization.
organization_founded = Signal()
