"""`manage.py explain_access`: every leg in order, in sentences that support can paste."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from guardian.shortcuts import assign_perm

from orgs import services
from orgs.models import Organization, Role, Tier
from tests.cast import Cast, lock

pytestmark = pytest.mark.django_db

INVITE, CREATE = "orgs.invite_members", "orgs.create_roles"


def told(*arguments: str) -> str:
    out = StringIO()
    call_command("explain_access", *arguments, stdout=out)
    return out.getvalue()


def test_a_member_without_a_role(cast: Cast) -> None:
    text = told("bob@example.com", INVITE)
    assert text.splitlines()[0] == "bob@example.com is a member of Acme."
    assert "They can come in: Acme is neither locked nor closed." in text
    assert "Billing of Acme: free (nothing special), no subscription, synced: never." in text
    assert "Roles: none. Direct grants here: none." in text
    assert "The tier Free entitles to orgs.invite_members." in text
    assert text.splitlines()[-1].startswith("So no, not orgs.invite_members: no active role")


def test_roles_held_and_revoked_and_grants_are_named(cast: Cast) -> None:
    admin = Role.objects.get(key="admin")
    member = Role.objects.get(key="member")
    now = timezone.now()
    first = services.assign_role(user=cast.bob, role=admin, by=cast.alice, now=now)
    second = services.assign_role(user=cast.bob, role=member, by=cast.alice, now=now)
    services.revoke_role(user=cast.bob, role=member, by=cast.alice, now=now)
    assign_perm(CREATE, cast.bob, cast.acme)
    text = told("bob@example.com", CREATE)
    assert f"admin (#{first.pk})" in text
    assert f"member (#{second.pk}, revoked)" in text
    assert "create_roles (#" in text
    assert "The tier Free does not entitle to orgs.create_roles." in text
    assert "the tier does not entitle to it" in text
    Organization.objects.update(tier=Tier.objects.get(key="business"))
    assert "So yes, orgs.create_roles: by the role admin." in told("bob@example.com", CREATE)


def test_a_lock_is_said_to_the_member_and_to_the_owner_in_their_way(cast: Cast) -> None:
    lock(cast.acme)
    assert "They cannot come in: Acme is locked since" in told("bob@example.com")
    text = told("Alice@Example.com", INVITE)
    assert "They can come in although Acme is locked since" in text
    assert "So yes, orgs.invite_members: owners hold" in text


def test_developers_outsiders_and_the_deactivated(cast: Cast) -> None:
    assert "developers always can" in told("dana@example.com")
    text = told("dana@example.com", INVITE, "--organization", cast.acme.slug)
    assert "as a developer, whatever the tier" in text
    text = told("charlie@example.com", INVITE, "--organization", cast.acme.slug)
    assert "they are no member of Acme" in text
    assert "Say in which organization" in told("charlie@example.com", INVITE)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nobody@example.com"], "nobody with the address"),
        (["bob@example.com", "orgs.fly"], "no permission orgs.fly"),
        (["bob@example.com", INVITE, "--organization", "x"], "no organization x"),
    ],
    ids=["nobody", "no permission", "no organization"],
)
def test_what_is_not_there_is_said(cast: Cast, arguments: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        told(*arguments)
