"""The team page: who is on it, filters, invitations with roles, sending again, taking back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks

from accounts.models import User, UserEventLog
from orgs import emails, services
from orgs.models import Invitation, Role
from orgs.views import team
from tests.cast import PASSWORD, Cast, OrganizationFactory, add_member, signed_in

pytestmark = pytest.mark.django_db

EVE = "eve@example.com"


def role(key: str) -> Role:
    return Role.objects.get(key=key, organization=None)


def give(person: User, key: str, by: User) -> None:
    services.assign_role(user=person, role=role(key), by=by, now=timezone.now())


def names(client: Client, **wanted: Any) -> list[str]:
    page = client.get(reverse("orgs:team"), wanted)
    return [each.email for each in page.context["members"]]


def test_the_team_is_filtered_by_name_address_and_role(cast: Cast) -> None:
    give(cast.bob, "billing_viewer", cast.alice)
    client = signed_in(cast.alice)
    assert names(client) == ["alice@example.com", "bob@example.com"]
    assert names(client, q="BROWN") == names(client, q="bob@") == ["bob@example.com"]
    assert names(client, role=role("billing_viewer").pk) == ["bob@example.com"]
    assert names(client, role=role("admin").pk) == []
    assert names(client, role="nonsense", q="alice") == names(client, role=10**9)
    page = client.get(reverse("orgs:team"), {"q": "nobody"}).content.decode()
    assert "Nobody on your team is like that." in page


def test_a_long_team_comes_in_pages_that_cost_the_same(
    cast: Cast,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    monkeypatch.setattr(team, "PAGE_SIZE", 2)
    for _ in range(3):
        add_member(cast.acme)
    client = signed_in(cast.alice)
    with django_assert_num_queries(13):
        first = client.get(reverse("orgs:team"))
    assert "Page 1 of 3" in first.content.decode()
    shown = [*names(client), *names(client, page=2), *names(client, page=3)]
    assert sorted(shown) == sorted(each.email for each in cast.acme.people())


def test_somebody_deactivated_is_on_the_list_and_marked(cast: Cast) -> None:
    User.objects.filter(pk=cast.bob.pk).update(is_active=False)
    page = signed_in(cast.alice).get(reverse("orgs:team"))
    assert "Deactivated" in page.content.decode()
    assert page.context["seats"].taken == 2


def invite(client: Client, *roles: Role) -> str:
    form = {"email": EVE, "roles": [each.pk for each in roles]}
    return client.post(reverse("orgs:invite"), form, follow=True).content.decode()


def join(invitation: Invitation) -> User:
    link = reverse("orgs:invitation", args=[emails.invitation_token(invitation)])
    Client().post(link, {"name": "Eve", "password": PASSWORD})
    return User.objects.get(email=EVE)


def held(person: User) -> set[str]:
    return set(person.role_assignments.active().values_list("role__key", flat=True))


def test_who_is_invited_with_roles_has_them_on_joining(cast: Cast) -> None:
    page = invite(signed_in(cast.alice), role("billing_viewer"), role("member"))
    assert "Billing viewer" in page
    eve = join(Invitation.objects.get(email=EVE))
    assert held(eve) == {"billing_viewer", "member"}
    given = eve.role_assignments.get(role__key="member")
    assert given.assigned_by == cast.alice


def test_nobody_offers_a_role_that_holds_more_than_theirs(cast: Cast) -> None:
    some = Role.objects.create(key="some", name="Some", organization=cast.acme)
    some.permissions.set(
        role("admin").permissions.filter(codename__in=["invite_members", "assign_roles"])
    )
    services.assign_role(user=cast.bob, role=some, by=cast.alice, now=timezone.now())
    client = signed_in(cast.bob)
    assert "more than your own roles do" in invite(client, role("admin"))
    assert not Invitation.objects.filter(email=EVE).exists()
    invite(client, some)
    assert held(join(Invitation.objects.get(email=EVE))) == {"some"}


def test_roles_of_another_organization_cannot_be_offered(cast: Cast) -> None:
    theirs = Role.objects.create(
        key="theirs", name="Theirs", organization=OrganizationFactory.create()
    )
    invite(signed_in(cast.alice), theirs)
    assert not Invitation.objects.filter(email=EVE).exists()
    with pytest.raises(services.WrongKind):
        services.invite(
            organization=cast.acme,
            email=EVE,
            roles=[theirs],
            by=cast.alice,
            now=timezone.now(),
        )


def test_what_whoever_invited_may_no_longer_give_is_withheld(cast: Cast) -> None:
    give(cast.bob, "admin", cast.alice)
    services.invite(
        organization=cast.acme,
        email=EVE,
        roles=[role("admin")],
        by=cast.bob,
        now=timezone.now(),
    )
    services.remove_member(organization=cast.acme, user=cast.bob, by=cast.alice, now=timezone.now())
    eve = join(Invitation.objects.get(email=EVE))
    assert (eve.organization, held(eve)) == (cast.acme, set())
    line = UserEventLog.objects.get(event="offered_roles_withheld")
    assert (line.user, line.data["roles"]) == (eve, [role("admin").pk])


def test_an_invitation_is_sent_again_with_a_new_end(
    cast: Cast, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    invite(signed_in(cast.alice))
    invitation = Invitation.objects.get(email=EVE)
    ago = timezone.now() - timedelta(days=1)
    Invitation.objects.update(expires_at=ago)
    mail.outbox.clear()
    with django_capture_on_commit_callbacks(execute=True):
        signed_in(cast.alice).post(reverse("orgs:resend_invitation", args=[invitation.pk]))
    assert [each.to for each in mail.outbox] == [[EVE]]
    assert join(invitation).organization == cast.acme
    assert UserEventLog.objects.filter(event="invitation_resent", actor=cast.alice).exists()


def test_an_invitation_taken_back_lets_nobody_in(cast: Cast) -> None:
    client = signed_in(cast.alice)
    invite(client)
    invitation = Invitation.objects.get(email=EVE)
    for _ in range(2):
        page = client.post(
            reverse("orgs:revoke_invitation", args=[invitation.pk]), follow=True
        ).content.decode()
    assert "Nobody is waiting to join." in page
    link = reverse("orgs:invitation", args=[emails.invitation_token(invitation)])
    assert Client().get(link).status_code == 410
    again = client.post(reverse("orgs:resend_invitation", args=[invitation.pk]), follow=True)
    assert "accepted or taken back meanwhile" in again.content.decode()
    assert UserEventLog.objects.filter(event="invitation_revoked").count() == 1


@pytest.mark.parametrize("page", ["orgs:resend_invitation", "orgs:revoke_invitation"])
def test_only_who_may_invite_deals_with_invitations_and_only_ones_own(
    cast: Cast, page: str
) -> None:
    invite(signed_in(cast.alice))
    url = reverse(page, args=[Invitation.objects.get(email=EVE).pk])
    assert signed_in(cast.bob).post(url).status_code == 403
    assert signed_in(OrganizationFactory.create().owner).post(url).status_code == 404
    assert Invitation.objects.pending().filter(email=EVE).exists()


def test_a_member_elsewhere_is_shown_how_to_leave_first(cast: Cast) -> None:
    other = OrganizationFactory.create()
    person = add_member(other)
    invitation = services.invite(
        organization=cast.acme, email=person.email, by=cast.alice, now=timezone.now()
    )
    link = reverse("orgs:invitation", args=[emails.invitation_token(invitation)])
    client = signed_in(person)
    assert reverse("orgs:leave") in client.get(link).content.decode()
    assert client.post(link).status_code == 409
    client.post(reverse("orgs:leave"))
    assert client.post(link).status_code == 302
    person.refresh_from_db()
    assert person.organization == cast.acme


def test_a_sole_owner_closes_their_own_as_they_join(cast: Cast) -> None:
    own = OrganizationFactory.create()
    owner = own.owner
    invitation = services.invite(
        organization=cast.acme, email=owner.email, by=cast.alice, now=timezone.now()
    )
    link = reverse("orgs:invitation", args=[emails.invitation_token(invitation)])
    client = signed_in(owner)
    assert f"Close {own.name} for good" in client.get(link).content.decode()
    unsure = client.post(link)
    assert (unsure.status_code, "Tick the box" in unsure.content.decode()) == (409, True)
    page = client.post(link, {"close_own": "on"}, follow=True).content.decode()
    assert "Welcome to Acme." in page
    owner.refresh_from_db()
    assert owner.organization == cast.acme
    assert not type(own).objects.filter(pk=own.pk).exists()


def test_an_owner_of_others_is_shown_the_transfer(cast: Cast) -> None:
    own = OrganizationFactory.create()
    add_member(own)
    invitation = services.invite(
        organization=cast.acme, email=own.owner.email, by=cast.alice, now=timezone.now()
    )
    link = reverse("orgs:invitation", args=[emails.invitation_token(invitation)])
    client = signed_in(own.owner)
    assert reverse("orgs:request_transfer") in client.get(link).content.decode()
    assert client.post(link, {"close_own": "on"}).status_code == 409
    with pytest.raises(services.HasOtherMembers):
        services.accept_invitation(
            invitation=invitation, person=own.owner, now=timezone.now(), closing_own=True
        )
    assert type(own).objects.filter(pk=own.pk).exists()


def test_a_developer_cannot_accept(cast: Cast) -> None:
    invitation = services.invite(
        organization=cast.acme, email=cast.dana.email, by=cast.alice, now=timezone.now()
    )
    link = reverse("orgs:invitation", args=[emails.invitation_token(invitation)])
    page = signed_in(cast.dana).post(link)
    assert (page.status_code, "one of our own" in page.content.decode()) == (409, True)
