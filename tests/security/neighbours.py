"""Beta, with one object of each kind, and those whom it is no business of."""

from __future__ import annotations

from dataclasses import dataclass

from allauth.mfa.models import Authenticator
from django.test import Client
from django.utils import timezone
from djstripe.models import WebhookEndpoint

from accounts.models import User
from orgs import services
from orgs.models import Organization, Role, SoftDeletion, Tier
from tests.cast import add_member
from tests.orgs.two_organizations import make_scene
from tests.second_factor import prove
from tests.security.browsers import proven


@dataclass(frozen=True)
class World:
    acme: Organization
    beta: Organization
    # Beta's owner, and somebody else on the team.
    owner: User
    member: User
    passkey: Authenticator
    endpoint: WebhookEndpoint
    # Of somebody who deleted their own account.
    deletion: SoftDeletion
    kinds: dict[str, User]
    dana: User


def make_world() -> World:
    scene = make_scene()
    now = timezone.now()
    # As they are since each was handed on.
    acme, beta = (Organization.objects.get(name=name) for name in ("Acme", "Beta"))
    Organization.objects.update(tier=Tier.objects.get(key="business"))
    owner = User.objects.get(pk=beta.owner_id)
    deputy, left, deleted = add_member(acme), add_member(beta), add_member(beta)
    role = Role.objects.get(key="admin", organization=None)
    services.assign_role(user=deputy, role=role, by=acme.owner, now=now)
    services.leave_organization(user=left, now=now)
    left.refresh_from_db()
    passkey = Authenticator.objects.create(
        user=owner, type=Authenticator.Type.WEBAUTHN, data={"name": "Key", "credential": {}}
    )
    endpoint = WebhookEndpoint.objects.create(
        id="we_1", secret="whsec_test", enabled_events=["*"], url="https://x"
    )
    kinds = {
        "a member of another": deputy,
        "the owner of another": User.objects.get(pk=acme.owner_id),
        "of no organization": scene.cast.charlie,
        "a former member": left,
        "deleted meanwhile": deleted,
        "staff of another": scene.scoped,
    }
    return World(
        acme=acme,
        beta=beta,
        owner=owner,
        member=User.objects.get(email="owner@beta.example"),
        passkey=passkey,
        endpoint=endpoint,
        deletion=services.delete_own_account(user=add_member(beta), now=now),
        kinds=kinds,
        dana=scene.cast.dana,
    )


def clients_of(world: World) -> dict[str, Client]:
    """Who proved a moment ago who they are, so that nothing stops them before the object does."""
    clients = {"a stranger": Client()}
    for kind, person in world.kinds.items():
        is_staff = kind.startswith("staff")
        clients[kind] = prove(person) if is_staff else proven(person)
    services.soft_delete(user=world.kinds["deleted meanwhile"], by=world.dana, reason="Left.")
    return clients
