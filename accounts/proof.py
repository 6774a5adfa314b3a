"""What staff have to prove before an act that weighs much: who they are, and that just now."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.decorators import reauthentication_required
from allauth.mfa.utils import is_mfa_enabled
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.functional import Promise

View = Callable[..., HttpResponse]


def proof_required(words: str | Promise) -> Callable[[View], View]:
    """Ask for a second factor to be set up, and then for proof that is minutes old at most.

    `words` are told to those who have no second factor yet.
    """

    def decorate(view: View) -> View:
        proven: View = reauthentication_required(view)

        @wraps(view)
        def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not is_mfa_enabled(request.user):
                messages.warning(request, str(words))
                return redirect("mfa_index")
            return proven(request, *args, **kwargs)

        return asked

    return decorate
