"""The scene of the matrix: every page of ours, everybody who might open it, every standing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from accounts import exits
from accounts.models import User
from billing.models import Standing, Status, TierPrice
from orgs import emails, services
from orgs.models import Invitation, Organization, Role, SoftDeletion, Tier
from tests.cast import (
    Cast,
    OrganizationFactory,
    PersonFactory,
    add_member,
    lock,
    make_cast,
    signed_in,
)

EVE = "eve@example.com"


@dataclass(frozen=True)
class Scene:
    """Acme, with somebody of each kind, and what the pages are about."""

    cast: Cast
    people: dict[str, User | None]
    role: Role
    invitation: Invitation
    subject: User
    # Of somebody who deleted their own account.
    deletion: SoftDeletion

    def client(self, kind: str) -> Client:
        person = self.people[kind]
        return Client() if person is None else signed_in(person)


def make_scene() -> Scene:
    cast, now = make_cast(), timezone.now()
    acme, alice = cast.acme, cast.alice
    other = OrganizationFactory.create()
    Organization.objects.update(tier=Tier.objects.get(key="business"))
    own = services.create_role(organization=acme, name="Own", permissions=(), by=alice, now=now)
    people: dict[str, User | None] = {"visitor": None, "of none": cast.charlie}
    people["outsider"] = other.owner
    people["member"] = cast.bob
    for key in ("member", "billing_viewer", "admin"):
        people[f"role {key}"] = holder = add_member(acme)
        role = Role.objects.get(key=key, organization=None)
        services.assign_role(user=holder, role=role, by=alice, now=now)
    people["owner"] = alice
    people["developer"] = PersonFactory.create(user_type="developer")
    people["staff"] = cast.dana
    subject = add_member(acme)
    services.assign_role(user=subject, role=own, by=alice, now=now)
    people["deleted"] = add_member(acme)
    invitation = services.invite(organization=acme, email=EVE, by=alice, now=now)
    deletion = services.delete_own_account(user=add_member(acme), now=now)
    return Scene(cast, people, own, invitation, subject, deletion)


def log_in_and_delete(scene: Scene) -> dict[str, Client]:
    """Sign everybody in; whoever is to be deleted is, with their session open."""
    clients = {kind: scene.client(kind) for kind in scene.people}
    deleted = scene.people["deleted"]
    assert deleted is not None
    services.soft_delete(user=deleted, by=scene.cast.dana, reason="Left.")
    return clients


def _write(organization: Organization, tier: str | None, status: Status, **fields: Any) -> None:
    row = Tier.objects.get(key=tier) if tier else None
    Organization.objects.filter(pk=organization.pk).update(tier=row)
    Standing.objects.filter(organization=organization).update(status=status, **fields)


def free(organization: Organization) -> None:
    _write(organization, None, Status.FREE)


def current(organization: Organization) -> None:
    _write(organization, "business", Status.CURRENT)


def in_grace(organization: Organization) -> None:
    ahead = timezone.now() + timedelta(days=3)
    _write(organization, "business", Status.PAST_DUE, grace_ends_at=ahead, reason="payment_failed")
    Organization.objects.filter(pk=organization.pk).update(locked_from=ahead)


def past_due(organization: Organization) -> None:
    _write(organization, "business", Status.PAST_DUE)
    lock(organization)


def lapsed(organization: Organization) -> None:
    lock(organization, reason="unpaid")
    _write(organization, None, Status.LAPSED)


def closed(organization: Organization) -> None:
    free(organization)
    Organization.objects.filter(pk=organization.pk).update(closed_at=timezone.now())


@dataclass(frozen=True)
class Page:
    """One way to call a URL. `arguments` and `data` take the scene."""

    name: str
    method: str = "GET"
    arguments: Callable[[Scene], list[Any]] = field(default=lambda scene: [])
    data: Callable[[Scene], dict[str, Any]] = field(default=lambda scene: {})

    @property
    def key(self) -> str:
        return f"{self.method} {self.name}"

    def open(self, client: Client, scene: Scene) -> Any:
        url = reverse(self.name, args=self.arguments(scene))
        if self.method == "GET":
            return client.get(url, self.data(scene))
        return client.post(url, self.data(scene))


def _role(scene: Scene) -> list[Any]:
    return [scene.role.pk]


def _invitation(scene: Scene) -> list[Any]:
    return [scene.invitation.pk]


def _link(scene: Scene) -> list[Any]:
    return [emails.invitation_token(scene.invitation)]


def _subject(scene: Scene) -> list[Any]:
    return [scene.subject.pk]


def _way_out(page: str) -> Callable[[Scene], list[Any]]:
    def token(scene: Scene) -> list[Any]:
        (url,) = exits.urls_of(scene.subject, page)
        return [url.rstrip("/").rsplit("/", 1)[1]]

    return token


def _way_back(scene: Scene) -> list[Any]:
    return [emails.come_back_token(scene.deletion)]


def _holding(scene: Scene) -> dict[str, Any]:
    return {"person": scene.subject.pk, "role": scene.role.pk}


def _slug(scene: Scene) -> dict[str, Any]:
    return {"slug": scene.cast.acme.slug}


def _price(scene: Scene) -> dict[str, Any]:
    return {"price": TierPrice.objects.get(tier__key="pro", interval="month").pk}


PAGES = [
    Page("home"),
    Page("orgs:activity"),
    Page("orgs:export_activity", "POST"),
    Page("accounts:account"),
    Page("accounts:security"),
    Page("accounts:rename", "POST", data=lambda scene: {"name": "Another"}),
    Page("orgs:found", "POST", data=lambda scene: {"name": "New"}),
    Page("orgs:organization"),
    Page("orgs:change_details", "POST", data=lambda scene: {"name": "Acme & Sons"}),
    Page("orgs:team"),
    Page("orgs:invite", "POST", data=lambda scene: {"email": "someone@example.com"}),
    Page("orgs:resend_invitation", "POST", _invitation),
    Page("orgs:revoke_invitation", "POST", _invitation),
    Page("orgs:remove_member", "GET", _subject),
    Page("orgs:remove_member", "POST", _subject),
    Page("orgs:assign_role", "POST", data=_holding),
    Page("orgs:revoke_role", "POST", data=_holding),
    Page("orgs:roles"),
    Page("orgs:create_role"),
    Page("orgs:create_role", "POST", data=lambda scene: {"name": "Another"}),
    Page("orgs:change_role", "GET", _role),
    Page("orgs:change_role", "POST", _role, lambda scene: {"name": "Another"}),
    Page("orgs:delete_role", "GET", _role),
    Page("orgs:delete_role", "POST", _role),
    Page("orgs:invitation", "GET", _link),
    Page("orgs:leave"),
    Page("orgs:leave", "POST"),
    Page("orgs:leave_from_outside", "GET", _way_out("orgs:leave_from_outside")),
    Page("accounts:export"),
    Page("accounts:export", "POST"),
    Page("accounts:export_from_outside", "GET", _way_out("accounts:export_from_outside")),
    Page("accounts:export_from_outside", "POST", _way_out("accounts:export_from_outside")),
    Page("orgs:delete_account"),
    Page("orgs:delete_account", "POST"),
    Page("orgs:delete_from_outside", "GET", _way_out("orgs:delete_from_outside")),
    Page("orgs:come_back", "GET", _way_back),
    Page("orgs:export_organization"),
    Page("orgs:export_organization", "POST"),
    Page("orgs:request_transfer"),
    Page(
        "orgs:request_transfer",
        "POST",
        data=lambda scene: {"to": scene.subject.pk, "reason": "Because."},
    ),
    Page("orgs:withdraw_transfer_request", "POST"),
    Page("billing:overview"),
    Page("billing:subscribe", "POST", data=_price),
    Page("billing:change_plan", data=_price),
    Page("billing:cancel", "POST"),
    Page("billing:resume", "POST"),
    Page("billing:confirm_payment"),
    Page("billing:portal", "POST"),
    Page("billing:choose_free", "POST"),
    Page("billing:close_organization"),
    Page("billing:close_organization", "POST", data=_slug),
    Page("billing:reopen_organization", "POST"),
    Page("billing:checkout_return"),
    Page("impersonation:stop", "POST"),
]


def outcome(answer: Any) -> str:
    """What a person notices of an answer, in a word."""
    status = answer.status_code
    if status == 302:
        return _led_to(answer.headers["Location"])
    if status == 403:
        context = answer.context or {}
        if "refusal" in context:
            return str(context["refusal"].code)
        if "leave_url" in context:
            return {"organization_locked": "LOCK", "organization_closed": "CLOSED"}[
                context["reason"]
            ]
        return "owner's" if "owner" in context else "403"
    return "ok" if status == 200 else str(status)


def _led_to(location: str) -> str:
    if location.startswith(reverse("account_login")):
        return "login"
    if location.startswith("http"):
        return "stripe"
    return "home" if location == reverse("home") else "done"


@contextmanager
def undone(client: Client | None = None) -> Iterator[None]:
    """Whatever a page does, the next one finds the scene, and the browser, as they were."""
    cookies = copy(client.cookies) if client else None
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
    # A session that was ended is there again, and its copy must not say otherwise.
    cache.clear()
    if client and cookies is not None:
        client.cookies = cookies


def names_of(patterns: list[Any] | None = None, prefix: str = "") -> set[str]:
    """The names of all URLs, with their namespaces."""
    found: set[str] = set()
    for each in patterns if patterns is not None else get_resolver().url_patterns:
        if isinstance(each, URLResolver):
            inner = f"{prefix}{each.namespace}:" if each.namespace else prefix
            found |= names_of(each.url_patterns, inner)
        elif isinstance(each, URLPattern) and each.name:
            found.add(prefix + each.name)
    return found
