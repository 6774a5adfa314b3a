"""Acme and Beta with a row of every kind, and somebody of our own staff who may see Acme alone.

That person holds every one of Django's permissions but the one to see all organizations. All of
Beta's rows name it, so that its name on a page is a leak.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from djstripe.models import Customer

from accounts import services as accounts
from accounts.events import Event
from accounts.models import User, UserEventLog
from billing import services as billing
from billing.models import Movement, PayerMail, ReconcileFinding, ReconcileRun, Standing
from orgs import services
from orgs.models import (
    Grant,
    Invitation,
    Organization,
    OwnershipTransfer,
    OwnershipTransferRequest,
    Role,
    SoftDeletion,
    UserRoleAssignment,
)
from orgs.permissions import VIEW
from tests.cast import Cast, OrganizationFactory, PersonFactory, add_member, make_cast, signed_in
from tests.second_factor import set_up_second_factor
from tests.staff import grant, make_developer

OF_AN_ORGANIZATION: list[type[Model]] = [
    Organization,
    User,
    UserEventLog,
    EmailAddress,
    Authenticator,
    Role,
    UserRoleAssignment,
    Grant,
    Invitation,
    OwnershipTransfer,
    OwnershipTransferRequest,
    SoftDeletion,
    Standing,
    Movement,
    PayerMail,
    ReconcileFinding,
]


@dataclass(frozen=True)
class Scene:
    cast: Cast
    beta: Organization
    scoped: User

    @cached_property
    def client(self) -> Client:
        return signed_in(self.scoped)


def make_scene(cast: Cast | None = None) -> Scene:
    cast = cast or make_cast()
    owner = PersonFactory.create(email="owner@beta.example", name="Beth of Beta")
    beta = OrganizationFactory.create(name="Beta", owner=owner)
    for organization in (cast.acme, beta):
        furnish(organization, cast.dana)
    scoped = make_developer()
    scoped.user_permissions.set(Permission.objects.exclude(codename="view_organization"))
    grant(scoped, VIEW, cast.acme, by=cast.dana)
    beta.refresh_from_db()
    return Scene(cast, beta, scoped)


def furnish(organization: Organization, by: User) -> None:
    name, now, owner = organization.slug, timezone.now(), organization.owner
    member = add_member(organization, email=f"member@{name}.example", name=f"Max of {name}")
    set_up_second_factor(member)
    role = Role.objects.create(key=f"{name}-role", name=f"{name} role", organization=organization)
    services.assign_role(user=member, role=role, by=owner, now=now)
    grant(member, "orgs.view_billing", organization, by=owner)
    services.invite(organization=organization, email=f"guest@{name}.example", by=owner, now=now)
    gone = add_member(organization, email=f"gone@{name}.example")
    services.soft_delete(user=gone, by=by, reason=f"Left {name}.")
    services.transfer_ownership(
        organization=organization, new_owner=member, by=by, reason=f"So says {name}."
    )
    services.request_ownership_transfer(
        organization=organization, new_owner=owner, by=member, reason=f"Back at {name}.", now=now
    )
    pays = {"subscription": f"sub_{name}", "status": "current", "tier": "pro"}
    accounts.record_event(
        Event.STANDING_CHANGED, organization_id=organization.pk, data={"before": {}, "after": pays}
    )
    billing.count_revenue(now=now)
    PayerMail.objects.create(
        organization=organization,
        kind="receipt",
        stripe_object=f"in_{name}",
        since=now,
        facts={
            "amount": 1900,
            "currency": "eur",
            "paid_at": now.isoformat(),
            "number": name,
            "hosted_invoice_url": None,
            "invoice_pdf": None,
        },
        created_at=now,
        sent_at=now,
    )
    run = ReconcileRun.objects.create(started_at=now, finished_at=now, touched_at=now)
    run.findings.create(
        organization=organization, finding="standing", what=f"sub_{name}", found_at=now
    )
    customer = Customer.objects.create(id=f"cus_{name}")
    Organization.objects.filter(pk=organization.pk).update(stripe_customer=customer)


def url(model: type[Model], page: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def text(answer: Any) -> str:
    return str(answer.content.decode().lower())


def rows_of(model: type[Model], name: str) -> list[Model]:
    """The rows that belong to the organization of this name."""
    registered: Any = admin.site.get_model_admin(model)
    path = registered.organization_path
    return list(model._default_manager.filter(**{f"{path}__name" if path else "name": name}))
