"""A way out for those whom the lock keeps from logging in: a link made after they proved who they
are, good for a few minutes and once."""

from __future__ import annotations

from datetime import timedelta

from django.core import signing
from django.urls import reverse

from accounts.models import User

SALT = "orgs.leave"
VALID_FOR = timedelta(minutes=15)


def leave_url(person: User) -> str:
    """Return where this person can leave their organization without being logged in."""
    token = signing.dumps([person.pk, person.session_generation], salt=SALT)
    return reverse("orgs:leave_from_outside", args=[token])


def person_of(token: str) -> User | None:
    """Return whose link it is; None when it is not ours, too old or used (leaving ends the
    generation of sessions that it names)."""
    try:
        pk, generation = signing.loads(token, salt=SALT, max_age=VALID_FOR)
    except signing.BadSignature:
        return None
    people = User.objects.get_queryset().present().with_access()
    return people.filter(pk=pk, session_generation=generation).first()
