from __future__ import annotations

import logging
from smtplib import SMTPException
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context as allauth_context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import encryption, mails
from accounts.http import address_for_limits
from accounts.models import User

logger = logging.getLogger(__name__)


class AccountAdapter(DefaultAccountAdapter):
    """What Holdfast adds to allauth's flows."""

    def get_login_stages(self) -> list[str]:
        """Append the settings' stages: the access gate stands after the second factor."""
        return [*super().get_login_stages(), *settings.LOGIN_STAGES]

    def get_client_ip(self, request: HttpRequest) -> str:
        return address_for_limits(request)

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Count attempts by the account alone.

        allauth's own key has the request's host in it, of which anybody may choose the port.
        """
        return User.objects.normalize_email(credentials.get("email"))

    def is_safe_url(self, url: str) -> bool:
        try:
            safe: bool = super().is_safe_url(url)
        except ValueError:
            # An address that cannot be one, as with an open bracket.
            return False
        return safe

    def clean_email(self, email: str) -> str:
        return User.objects.normalize_email(super().clean_email(email))

    def set_password(self, user: Any, password: str) -> None:
        """Save the password alone. What else is known of the person may have changed since."""
        user.set_password(password)
        user.save(update_fields=["password"])

    def confirm_email(self, request: HttpRequest, email_address: Any) -> bool:
        """Change the address here, and mark what must follow at Stripe, or neither."""
        with transaction.atomic():
            confirmed: bool = super().confirm_email(request, email_address)
        return confirmed

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """Call passkeys as our pages do."""
        methods: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        for each in methods:
            if each["id"] == "mfa_reauthenticate:webauthn":
                each["description"] = _("Use a passkey")
        return methods

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("accounts:account")

    def render_mail(
        self, template_prefix: str, email: str | list[str], context: Any, headers: Any = None
    ) -> EmailMultiAlternatives:
        """Have allauth's mails in both forms, as all of ours, and lead to where ours lead."""
        written = super().render_mail(template_prefix, email, _led_home(context), headers)
        message = mails.compose(written.subject, written.body, written.to, written.extra_headers)
        message.from_email = written.from_email
        return message

    def send_notification_mail(self, template_prefix: str, *args: Any, **kwargs: Any) -> None:
        """Tell the person by mail what was changed. It is changed also where no mail gets out."""
        try:
            super().send_notification_mail(template_prefix, *args, **kwargs)
        except (SMTPException, OSError):
            logger.exception("The mail %s was not sent", template_prefix)


def _led_home(context: dict[str, Any]) -> dict[str, Any]:
    """Return the context of a mail with its links under BASE_URL.

    allauth puts them under the host that was asked for, of which anybody may choose the port.
    """
    asked = allauth_context.request.build_absolute_uri("/")
    return {
        name: f"{settings.BASE_URL}/{value.removeprefix(asked)}"
        if isinstance(value, str) and value.startswith(asked)
        else value
        for name, value in context.items()
    }


class MFAAdapter(DefaultMFAAdapter):
    """How passkeys are called, here and by the devices that hold them; and how seeds are stored."""

    def encrypt(self, text: str) -> str:
        return encryption.encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        return encryption.decrypt(encrypted_text)

    def generate_authenticator_name(self, user: Any, type: Authenticator.Type) -> str:
        there = Authenticator.objects.filter(user_id=user.pk, type=type).count()
        return _("Passkey %(number)s") % {"number": there + 1}

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        entity: dict[str, str] = super().get_public_key_credential_rp_entity()
        return entity | {"name": settings.MFA_TOTP_ISSUER}
