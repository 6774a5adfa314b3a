from __future__ import annotations

import logging
from collections.abc import Sequence

from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts import breaches
from accounts.models import User

logger = logging.getLogger(__name__)


class BreachedPasswordValidator(CommonPasswordValidator):
    """Refuses a password that is common, or that has appeared in a data breach.

    Common ones are refused without asking. Where it cannot be asked about the others, they are
    accepted: nobody is kept out because another service does not answer.
    """

    def __init__(self, url: str = breaches.PWNED_PASSWORDS, seconds: float = 1) -> None:
        super().__init__()
        self.url = url
        self.seconds = seconds

    def validate(self, password: str, user: User | None = None) -> None:
        """Raises ValidationError."""
        super().validate(password, user)
        try:
            is_breached = breaches.is_breached(password, url=self.url, seconds=self.seconds)
        except breaches.Unanswered as why:
            logger.warning("Have I Been Pwned did not say whether a password was breached: %s", why)
            return
        if is_breached:
            raise ValidationError(
                _("This password has appeared in a data breach. Choose another one."),
                code="password_breached",
            )

    def get_help_text(self) -> str:
        return _("Your password cannot be a common one, or one that appeared in a data breach.")


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
