"""What Django and allauth say of log-ins and of what makes them safe, written into the log."""

from __future__ import annotations

from typing import Any

from allauth.account import signals as account
from allauth.account.authentication import get_authentication_records
from allauth.account.models import EmailAddress
from allauth.mfa import signals as mfa
from allauth.mfa.models import Authenticator
from django.apps import AppConfig
from django.apps import apps as installed_apps
from django.apps.registry import Apps
from django.contrib.auth.signals import user_logged_out, user_login_failed
from django.db.models.signals import post_migrate
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from accounts import name_search
from accounts.events import Event
from accounts.managers import UserManager
from accounts.models import User
from accounts.services import record_event


def _record_own(event: Event, person: User, **data: Any) -> None:
    """Write what somebody did about their own account."""
    record_event(
        event, user=person, actor=person, organization_id=person.organization_id, data=data
    )


@receiver(account.user_logged_in)
def _logged_in(request: HttpRequest, user: User, **kwargs: Any) -> None:
    steps = get_authentication_records(request, user)
    _record_own(Event.LOGIN, user, methods=[step.get("type", step["method"]) for step in steps])


@receiver(user_logged_out)
def _logged_out(user: Any, **kwargs: Any) -> None:
    if isinstance(user, User):
        _record_own(Event.LOGOUT, user)


@receiver(user_login_failed)
def _failed_to_log_in(credentials: dict[str, Any], request: Any = None, **kwargs: Any) -> None:
    """Nobody is at the keyboard for certain, so there is no actor. allauth's rate limits bound how
    many of these there can be."""
    address = UserManager.normalize_email(str(credentials.get("email", "")))
    person = User.objects.filter(email=address).first()
    record_event(
        Event.LOGIN_FAILED,
        user=person,
        organization_id=person.organization_id if person else None,
        data={} if person else {"address": _pseudonym(address)},
    )


def _pseudonym(address: str) -> str:
    """Stand for a stranger's address: the same one each time, and not to be read from it. What
    is typed there may even be a password."""
    return salted_hmac("accounts.receivers.address", address, algorithm="sha256").hexdigest()[:16]


@receiver(mfa.authentication_failed)
def _second_factor_failed(user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    record_event(
        Event.SECOND_FACTOR_FAILED,
        user=user,
        organization_id=user.organization_id,
        data={"type": authenticator.type},
    )


@receiver([account.password_changed, account.password_set])
def _password_changed(user: User, **kwargs: Any) -> None:
    _record_own(Event.PASSWORD_CHANGED, user)


@receiver(account.password_reset)
def _password_reset(user: User, **kwargs: Any) -> None:
    _record_own(Event.PASSWORD_RESET, user)


@receiver(account.email_added)
def _email_added(user: User, email_address: EmailAddress, **kwargs: Any) -> None:
    _record_own(Event.EMAIL_ADDED, user, address=email_address.pk)


@receiver(account.email_confirmed)
def _email_confirmed(email_address: EmailAddress, **kwargs: Any) -> None:
    _record_own(Event.EMAIL_CONFIRMED, email_address.user, address=email_address.pk)


@receiver(account.email_changed)
def _email_changed(
    user: User, from_email_address: Any, to_email_address: EmailAddress, **kwargs: Any
) -> None:
    # Without a former one it is the address of the sign-up, which was confirmed.
    if from_email_address is not None:
        _record_own(Event.EMAIL_CHANGED, user, address=to_email_address.pk)


@receiver(account.email_removed)
def _email_removed(user: User, email_address: EmailAddress, **kwargs: Any) -> None:
    _record_own(Event.EMAIL_REMOVED, user, address=email_address.pk)


@receiver(mfa.authenticator_added)
def _second_factor_added(user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    _record_own(Event.SECOND_FACTOR_ADDED, user, type=authenticator.type)


@receiver(mfa.authenticator_removed)
def _second_factor_removed(user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    _record_own(Event.SECOND_FACTOR_REMOVED, user, type=authenticator.type)


@receiver(mfa.authenticator_reset)
def _recovery_codes_renewed(user: User, **kwargs: Any) -> None:
    _record_own(Event.RECOVERY_CODES_RENEWED, user)


@receiver(post_migrate)
def _install_name_index(
    sender: AppConfig, using: str, apps: Apps = installed_apps, **kwargs: Any
) -> None:
    # On the way down there is no such table.
    if sender.name == "accounts" and "user" in apps.all_models["accounts"]:
        name_search.install_index(User, using)
