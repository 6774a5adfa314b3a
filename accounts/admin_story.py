"""What a person's page in the admin tells of their account: a few rows of each kind, and the lists
that have the rest."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.http import HttpRequest
from django.template.loader import render_to_string

from accounts.admin_base import SHOWN, seen
from accounts.models import User, UserEventLog


def account_section(request: HttpRequest, person: User) -> str:
    """Tell how they log in, and what happened to them last."""
    lines = seen(request, UserEventLog).filter(user=person)
    context = {
        "person": person,
        "addresses": seen(request, EmailAddress).filter(user=person)[:SHOWN],
        "factors": seen(request, Authenticator).filter(user=person)[:SHOWN],
        "lines": lines.select_related("actor", "organization")[:SHOWN],
    }
    return render_to_string("admin/accounts/user/_account.html", context, request)
