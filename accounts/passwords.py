from __future__ import annotations

from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.models import User


class ContextWordsValidator:
    """Refuses a password with a word in it that everybody would think of here."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = [word.lower() for word in words]

    def validate(self, password: str, user: User | None = None) -> None:
        """Raises ValidationError."""
        if any(word in password.lower() for word in self.words):
            raise ValidationError(self.get_help_text(), code="password_of_context")

    def get_help_text(self) -> str:
        facts = {"words": ", ".join(self.words)}
        return _("Your password cannot contain the name of this product (%(words)s).") % facts
