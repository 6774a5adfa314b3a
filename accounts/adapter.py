from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings

from accounts.models import User


class AccountAdapter(DefaultAccountAdapter):
    """What Holdfast adds to allauth's flows."""

    def get_login_stages(self) -> list[str]:
        """Append the settings' stages: the access gate stands after the second factor."""
        return [*super().get_login_stages(), *settings.LOGIN_STAGES]

    def clean_email(self, email: str) -> str:
        return User.objects.normalize_email(super().clean_email(email))

    def set_password(self, user: Any, password: str) -> None:
        """Save the password alone. What else is known of the person may have changed since."""
        user.set_password(password)
        user.save(update_fields=["password"])
