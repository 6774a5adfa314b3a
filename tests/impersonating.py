"""Staff who look at the product as somebody."""

from __future__ import annotations

from typing import Any

from django.test import Client
from django.urls import reverse

from accounts.models import User, UserEventLog
from tests.second_factor import prove

REASON = "Ticket 42: the team page looks odd."


def page_about(person: User) -> str:
    return reverse("admin:accounts_user_impersonate", args=[person.pk])


def begin(client: Client, person: User, **changes: Any) -> Any:
    form = {"reason": REASON, "user_pk": person.pk} | changes
    return client.post(page_about(person), form)


def stop(client: Client) -> Any:
    return client.post(reverse("impersonation:stop"))


def impersonating(by: User, person: User) -> Client:
    """A browser of somebody who proved who they are, and went on as another."""
    client = prove(by)
    assert begin(client, person).status_code == 302
    assert who_is(client) == person.pk
    return client


def who_is(client: Client) -> int | None:
    """The key of whoever the browser's session is signed in as."""
    key = client.session.get("_auth_user_id")
    return int(key) if key else None


def lines(event: str) -> list[UserEventLog]:
    return list(UserEventLog.objects.filter(event=event).order_by("pk"))
