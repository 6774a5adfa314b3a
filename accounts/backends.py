from __future__ import annotations

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend as AllauthBackend

from accounts.models import User


class AuthenticationBackend(AllauthBackend):
    """Log-in by e-mail and password; soft-deleted people are refused like inactive ones."""

    def user_can_authenticate(self, user: Any) -> bool:
        return super().user_can_authenticate(user) and user.deleted_at is None

    def get_user(self, user_id: int) -> User | None:
        """Load the person of a session, with the organization that access is decided on."""
        user = User.objects.get_queryset().with_access().filter(pk=user_id).first()
        return user if user is not None and self.user_can_authenticate(user) else None
