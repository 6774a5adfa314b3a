"""When somebody logged in, noted by our own receiver (`config.apps` puts it in).

django-hijack disconnects Django's own while it switches a session: for all threads, and, where the
switch fails, for good.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import update_last_login
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest

from accounts.impersonation import is_switching
from accounts.models import User


@receiver(user_logged_in)
def note_last_login(sender: type[User], request: HttpRequest, user: User, **kwargs: Any) -> None:
    if not is_switching(request):
        update_last_login(sender, user)
